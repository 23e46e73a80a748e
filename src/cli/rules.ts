import { nearestIds } from '../diagnosis/nearest-ids.js';
import { ruleOf } from '../diagnosis/rule-groups.js';
import { RULES } from '../diagnosis/rules/index.js';
import { FcgiInspectError } from '../model/errors.js';
import { ruleList, rulePage } from '../print/index.js';

/**
 * What `fcgi-inspect rules` prints.
 * @param id of one rule; null for the list
 * @throws FcgiInspectError 'usage' for an id that no rule has
 */
export function rulesText(
  id: string | null,
  options: { readonly color: boolean; readonly width: number | null },
): string {
  if (id === null) return ruleList(options);
  const rule = ruleOf(id);
  if (rule !== null) return rulePage(rule, options);
  const near = nearestIds(
    id,
    RULES.map((one) => one.id),
  );
  throw new FcgiInspectError(
    'usage',
    `there is no rule ${JSON.stringify(id)}`,
    near.length === 0
      ? 'fcgi-inspect rules lists them all'
      : `is it ${near.join(', ')}? fcgi-inspect rules lists them all`,
  );
}
