import { fileURLToPath } from 'node:url';
import { PRODUCT_NAMES } from '../../src/diagnosis/products.js';
import type { Rule } from '../../src/diagnosis/rule.js';
import { RULE_GROUPS } from '../../src/diagnosis/rule-groups.js';
import { certaintyWords, remedyLists, seenWords } from '../../src/print/rules.js';

/** docs/diagnosis.md, made from the rules. A rule's heading is its id, so that its anchor is, too. */

export const DIAGNOSIS_PAGE = fileURLToPath(new URL('../../docs/diagnosis.md', import.meta.url));

export function diagnosisPage(): string {
  const groups = RULE_GROUPS.filter(({ rules }) => rules.length > 0);
  const count = groups.reduce((sum, { rules }) => sum + rules.length, 0);
  return `${[
    '# What can go wrong, and what to do',
    `<!-- Made from src/diagnosis/rules by npm run docs:diagnosis: change the rules, not this page. -->`,
    `fcgi-inspect knows ${count} ways in which a FastCGI request goes wrong or is not as it should be. This page has them all, with what to change in ${Object.values(PRODUCT_NAMES).join(', ')}. A finding’s id is the heading here; \`fcgi-inspect rules ID\` prints the same on a terminal, and the display filter \`finding == ID\` finds the requests.`,
    'An **error** is a request that went wrong, a **warning** one that may go wrong elsewhere or tomorrow, a **note** something to know. Of the **causes** only the first that fits is reported for a request; a **consequence** only where no cause was found; a **remark** beside whatever else there is.',
    '## Contents',
    ...groups.map(({ title, rules }) => `**${plain(title)}**\n\n${contents(rules)}`),
    ...groups.flatMap(({ title, rules }) => [`## ${plain(title)}`, ...rules.map(section)]),
  ].join('\n\n')}\n`;
}

function contents(rules: readonly Rule[]): string {
  const rows = rules.map(({ id, severity, title }) => `| [${id}](#${id}) | ${severity} | ${plain(title)} |`);
  return ['| id | severity | what |', '|---|---|---|', ...rows].join('\n');
}

function section(rule: Rule): string {
  const { id, title, severity, layer, meaning, alternatives = [], look = [] } = rule;
  const remedies = remedyLists(rule).map(([product, texts]) =>
    product === null ? list(texts) : `- **${product}**\n${list(texts, '  ')}`,
  );
  return [
    `### ${id}`,
    `**${plain(title)}** (${severity}, ${layer})`,
    meaning === title ? '' : plain(meaning),
    remedies.length === 0 ? '' : `What to change:\n\n${remedies.join('\n')}`,
    `${certaintyWords(rule)}${alternatives.length === 0 ? '' : `\n\n${alternativeList(alternatives)}`}`,
    look.length === 0 ? '' : `Where to look:\n\n${list(look)}`,
    plain(seenWords(rule)),
  ]
    .filter((text) => text !== '')
    .join('\n\n');
}

function alternativeList(alternatives: NonNullable<Rule['alternatives']>): string {
  return alternatives.map(({ cause, tell }) => `- ${plain(cause)} *To tell:* ${plain(tell)}`).join('\n');
}

function list(texts: readonly string[], indent = ''): string {
  return texts.map((text) => `${indent}- ${plain(text)}`).join('\n');
}

/** What Markdown would take for something else. An underscore within a word is none of it. */
function plain(text: string): string {
  return text.replace(/[\\`*<[\]|]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, '\\$&');
}
