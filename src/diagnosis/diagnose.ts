import type { Exchange } from '../model/exchange.js';
import type { Alternative, Finding } from '../model/finding.js';
import { severityRank } from '../model/finding.js';
import type { Surroundings } from '../model/surroundings.js';
import { productsOf, remediesFor } from './remedies.js';
import type { Rule, Sighting } from './rule.js';
import { RULES } from './rules/index.js';

const NO_FINDINGS: readonly Finding[] = Object.freeze([]);
const NO_ALTERNATIVES: readonly Alternative[] = Object.freeze([]);
const NOWHERE: readonly string[] = Object.freeze([]);

const CAUSES = RULES.filter(({ layer }) => layer === 'cause');
const CONSEQUENCES = RULES.filter(({ layer }) => layer === 'consequence');
const REMARKS = RULES.filter(({ layer }) => layer === 'remark');

/** The findings of a settled exchange: the gravest first, and of equal ones the cause first. */
export function diagnose(exchange: Exchange, surroundings: Surroundings | null = null): readonly Finding[] {
  let findings = first(CAUSES, exchange, surroundings) ?? first(CONSEQUENCES, exchange, surroundings);
  for (const rule of REMARKS) {
    const sighting = rule.check(exchange, surroundings);
    if (sighting === null) continue;
    findings ??= [];
    findings.push(finding(rule, sighting, exchange));
  }
  return findings === null ? NO_FINDINGS : findings.sort((a, b) => severityRank(b.severity) - severityRank(a.severity));
}

/** What is always said of a finding with this id; null for one that no rule makes. */
export function describeFinding(id: string): Pick<Finding, 'severity' | 'title'> | null {
  return RULES.find((rule) => rule.id === id) ?? null;
}

function first(rules: readonly Rule[], exchange: Exchange, surroundings: Surroundings | null): Finding[] | null {
  for (const rule of rules) {
    const sighting = rule.check(exchange, surroundings);
    if (sighting !== null) return [finding(rule, sighting, exchange)];
  }
  return null;
}

function finding(rule: Rule, sighting: Sighting, exchange: Exchange): Finding {
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
