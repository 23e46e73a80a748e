import type { Exchange } from '../model/exchange.js';
import type { Alternative, Finding } from '../model/finding.js';
import { severityRank } from '../model/finding.js';
import type { Surroundings } from '../model/surroundings.js';
import { BLIND, type BlindSpots, blindSpots } from './blind-spots.js';
import { beginsOrdinarily } from './body-head.js';
import { hasHeaderMarks } from './header-facts.js';
import { paramMarks } from './param-marks.js';
import { productsOf, remediesFor } from './remedies.js';
import { isPlainRequest } from './request-facts.js';
import type { Need, Rule, Sighting } from './rule.js';
import { RULES } from './rules/index.js';

const NO_FINDINGS: readonly Finding[] = Object.freeze([]);
const NO_ALTERNATIVES: readonly Alternative[] = Object.freeze([]);
const NOWHERE: readonly string[] = Object.freeze([]);

/** All causes before the first consequence. */
const IN_TURN = [
  ...RULES.filter(({ layer }) => layer === 'cause'),
  ...RULES.filter(({ layer }) => layer === 'consequence'),
];
const REMARKS = RULES.filter(({ layer }) => layer === 'remark');
/** By what was not seen whole. */
const WHILE_OPEN = [0, 1, 2, 3].map((blind) => IN_TURN.filter((rule) => rule.whileOpen && maySpeak(rule, blind)));

/**
 * The findings of an exchange: the gravest first, and of equal ones the cause first. An open one (outcome null) is taken as it is at the
 * time that is given as its end.
 */
export function diagnose(exchange: Exchange, surroundings: Surroundings | null = null): readonly Finding[] {
  const blind = blindSpots(exchange);
  if (exchange.outcome === null) return sorted(upToFirst(WHILE_OPEN[blind]!, exchange, surroundings));
  const { inTurn, remarks } = rulesFor(needsOf(exchange, surroundings), blind);
  let findings = upToFirst(inTurn, exchange, surroundings);
  for (const rule of remarks) {
    const sighting = rule.check(exchange, surroundings);
    if (sighting === null) continue;
    findings ??= [];
    findings.push(finding(rule, sighting, exchange));
  }
  return sorted(findings);
}

/** What is always said of a finding with this id; null for one that no rule makes. */
export function describeFinding(id: string): Pick<Finding, 'severity' | 'title'> | null {
  return RULES.find((rule) => rule.id === id) ?? null;
}

/** As bits. */
const NEEDS: Readonly<Record<Need, number>> = {
  failure: 1,
  stderr: 2,
  problems: 4,
  status: 8,
  marks: 16,
  headers: 32,
  surroundings: 64,
  role: 128,
  request: 256,
  body: 512,
};

function needsOf(exchange: Exchange, surroundings: Surroundings | null): number {
  const { outcome, streams, records, response, role, appStatus } = exchange;
  const status = response?.status ?? 0;
  return (
    (outcome === 'completed' ? 0 : NEEDS.failure) |
    (streams.stderr.bytes === 0 ? 0 : NEEDS.stderr) |
    (records.problems === 0 ? 0 : NEEDS.problems) |
    (status >= 200 && status < 300 && (appStatus ?? 0) === 0 ? 0 : NEEDS.status) |
    (role === 'responder' ? 0 : NEEDS.role) |
    (isPlainRequest(exchange) ? 0 : NEEDS.request) |
    (paramMarks(exchange) === 0 ? 0 : NEEDS.marks) |
    (hasHeaderMarks(exchange) ? NEEDS.headers : 0) |
    (beginsOrdinarily(exchange) ? 0 : NEEDS.body) |
    (surroundings === null ? 0 : NEEDS.surroundings)
  );
}

interface Asked {
  readonly inTurn: readonly Rule[];
  readonly remarks: readonly Rule[];
}

/** By what is there and what was not seen, as bits; made as each combination is met first. Nearly all requests are of the shortest list. */
const askedBy: (Asked | undefined)[] = [];

function rulesFor(present: number, blind: BlindSpots): Asked {
  const place = (present << 2) | blind;
  let asked = askedBy[place];
  if (asked === undefined) {
    const isAsked = (rule: Rule) =>
      maySpeak(rule, blind) && (rule.needs?.some((need) => (NEEDS[need] & present) !== 0) ?? true);
    asked = { inTurn: IN_TURN.filter(isAsked), remarks: REMARKS.filter(isAsked) };
    askedBy[place] = asked;
  }
  return asked;
}

function maySpeak({ absence }: Rule, blind: BlindSpots): boolean {
  if (absence === undefined) return true;
  return absence === 'both' ? blind === 0 : (BLIND[absence] & blind) === 0;
}

/** What the first rule says that knows what it is, and what others before it say beside that. */
function upToFirst(rules: readonly Rule[], exchange: Exchange, surroundings: Surroundings | null): Finding[] | null {
  let findings: Finding[] | null = null;
  for (const rule of rules) {
    const sighting = rule.check(exchange, surroundings);
    if (sighting === null) continue;
    findings ??= [];
    findings.push(finding(rule, sighting, exchange));
    if (!sighting.beside) break;
  }
  return findings;
}

function sorted(findings: Finding[] | null): readonly Finding[] {
  if (findings === null) return NO_FINDINGS;
  return findings.sort((a, b) => severityRank(b.severity) - severityRank(a.severity));
}

/** What a rule says of a request when it is known that it is so, whoever saw it. */
export function finding(rule: Rule, sighting: Sighting, exchange: Exchange): Finding {
  const certainty = sighting.certainty ?? rule.certainty;
  return {
    id: rule.id,
    severity: sighting.severity ?? rule.severity,
    title: rule.title,
    detail: sighting.detail,
    certainty,
    advice: [...(sighting.advice ?? []), ...remediesFor(rule.remedies, productsOf(exchange))],
    alternatives:
      certainty === 'proven' ? NO_ALTERNATIVES : (sighting.alternatives ?? rule.alternatives ?? NO_ALTERNATIVES),
    look: rule.look ?? NOWHERE,
    evidence: sighting.evidence ?? [],
  };
}
