import { PRODUCT_NAMES, type Product } from '../diagnosis/products.js';
import type { Rule } from '../diagnosis/rule.js';
import { RULE_GROUPS } from '../diagnosis/rule-groups.js';
import { Page, type PageOptions } from './page.js';
import { paint, severityColour } from './style.js';

/** The diagnosis rules as the command line tells them: all in a line each, and one in full. */

/** Id, severity, layer and title, aligned, under the groups' titles. Not broken: `grep` and `awk` are to work on it. */
export function ruleList({ color }: PageOptions): string {
  const colours = paint(color);
  const rules = RULE_GROUPS.flatMap((group) => group.rules);
  const longest = Math.max(...rules.map(({ id }) => id.length));
  let text = '';
  for (const group of RULE_GROUPS) {
    if (group.rules.length === 0) continue;
    text += `${text === '' ? '' : '\n'}${colours('bold', group.title)}\n`;
    for (const { id, severity, layer, title } of group.rules)
      text += `  ${id.padEnd(longest)}  ${colours(severityColour(severity), severity.padEnd(7))}  ${layer.padEnd(11)}  ${title}\n`;
  }
  return `${text}\n${rules.length} rules. fcgi-inspect rules ID tells all about one.\n`;
}

const LAYERS: Readonly<Record<Rule['layer'], string>> = {
  cause: 'A cause: it makes requests go wrong.',
  consequence: 'A consequence: reported where no cause of it was found.',
  remark: 'A remark: reported beside whatever else was found.',
};

/** All about one rule. */
export function rulePage(rule: Rule, options: PageOptions): string {
  const page = new Page(options);
  const head = (text: string): void => {
    page.blank();
    page.say(text, { colour: 'bold' });
  };
  page.say(rule.title, { colour: 'bold' });
  page.say(`${rule.id}, ${rule.severity}`, { colour: severityColour(rule.severity) });
  page.blank();
  page.say(rule.meaning);
  head('How sure it is');
  page.say(certaintyWords(rule));
  for (const { cause, tell } of rule.alternatives ?? []) {
    page.say(cause, { indent: 2, mark: '? ' });
    page.say(tell, { indent: 4, mark: 'To tell: ' });
  }
  head('What to change');
  for (const [product, texts] of remedyLists(rule)) {
    if (product !== null) page.say(product, { indent: 2, colour: 'cyan' });
    for (const text of texts) page.say(text, { indent: product === null ? 2 : 4, mark: '- ' });
  }
  if (remedyLists(rule).length === 0) page.say('It depends on what was seen: each finding says it.', { indent: 2 });
  if (rule.look !== undefined && rule.look.length > 0) {
    head('Where to look next');
    for (const place of rule.look) page.say(place, { indent: 2, mark: '> ' });
  }
  head('How it is reported');
  page.say(LAYERS[rule.layer]);
  page.say(seenWords(rule));
  page.say(`Find such requests with the filter: -Y 'finding == ${rule.id}'`);
  return page.take();
}

export function certaintyWords({ certainty, alternatives = [] }: Rule): string {
  if (certainty === 'allowed')
    return alternatives.length === 0
      ? 'What passes on the wire fits it, and does not prove it.'
      : 'What passes on the wire fits it, and does not prove it. It may also be:';
  return alternatives.length === 0
    ? 'What passes on the wire proves it.'
    : 'What passes on the wire mostly proves it. Where a finding says that it does not, it may also be:';
}

/** What to change: first in any case (null), then by product. Only what there is. */
export function remedyLists({ remedies }: Rule): (readonly [product: string | null, texts: readonly string[]])[] {
  const products = Object.keys(PRODUCT_NAMES) as Product[];
  return [
    [null, remedies.any ?? []] as const,
    ...products.map((product) => [PRODUCT_NAMES[product], remedies[product] ?? []] as const),
  ].filter(([, texts]) => texts.length > 0);
}

export function seenWords({ seen }: Rule): string {
  return seen.length === 0
    ? 'Made from the specification and the servers’ sources: it has not been seen on a real server yet.'
    : `Seen on real servers: ${seen.join('; ')}.`;
}
