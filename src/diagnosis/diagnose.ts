import type { Exchange } from '../model/exchange.js';
import type { Finding } from '../model/finding.js';
import { severityRank } from '../model/finding.js';
import type { Rule } from './rule.js';
import { RULES } from './rules/index.js';

const NONE: readonly Finding[] = Object.freeze([]);

/** The findings of a settled exchange, the cause first. */
export function diagnose(exchange: Exchange): readonly Finding[] {
  let findings: Finding[] | null = null;
  let ended = false;
  for (const rule of RULES) {
    if (ended && rule.about === 'end') continue;
    const sighting = rule.check(exchange);
    if (sighting === null) continue;
    ended ||= rule.about === 'end';
    findings ??= [];
    findings.push(finding(rule, sighting));
  }
  return findings === null ? NONE : findings.sort((a, b) => severityRank(b.severity) - severityRank(a.severity));
}

/** What is always said of a finding with this id; null for one that no rule makes. */
export function describeFinding(id: string): Pick<Finding, 'severity' | 'title'> | null {
  return RULES.find((rule) => rule.id === id) ?? null;
}

function finding(
  rule: Rule,
  sighting: { detail: string; advice: readonly string[]; evidence?: Finding['evidence'] },
): Finding {
  return {
    id: rule.id,
    severity: rule.severity,
    title: rule.title,
    detail: sighting.detail,
    advice: sighting.advice,
    evidence: sighting.evidence ?? [],
  };
}
