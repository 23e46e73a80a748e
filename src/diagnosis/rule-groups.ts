import type { Rule } from './rule.js';
import { CONNECTING } from './rules/connecting/index.js';
import { DYING } from './rules/dying/index.js';
import { KEEPALIVE } from './rules/keepalive/index.js';
import { PHP } from './rules/php/index.js';
import { PROTOCOL } from './rules/protocol/index.js';
import { REQUEST } from './rules/request/index.js';
import { RESPONSE } from './rules/response/index.js';
import { ROLES } from './rules/roles/index.js';
import { SECURITY } from './rules/security/index.js';
import { WAITING } from './rules/waiting/index.js';

/** The rules as people look them up: by what goes wrong. In the order in which a request meets it. */
export interface RuleGroup {
  readonly title: string;
  readonly rules: readonly Rule[];
}

export const RULE_GROUPS: readonly RuleGroup[] = [
  { title: 'The backend cannot be reached', rules: CONNECTING },
  { title: 'The backend goes away', rules: DYING },
  { title: 'Connections that are kept open', rules: KEEPALIVE },
  { title: 'Waiting, and who gave up', rules: WAITING },
  { title: 'What the web server sends', rules: REQUEST },
  { title: 'What the response says', rules: RESPONSE },
  { title: 'PHP and the script', rules: PHP },
  { title: 'Authorizers and filters', rules: ROLES },
  { title: 'Not as the FastCGI protocol has it', rules: PROTOCOL },
  { title: 'Security', rules: SECURITY },
];

/** Null for an id that no rule has. */
export function ruleOf(id: string): Rule | null {
  return BY_ID.get(id) ?? null;
}

const BY_ID: ReadonlyMap<string, Rule> = new Map(
  RULE_GROUPS.flatMap(({ rules }) => rules.map((rule) => [rule.id, rule])),
);
