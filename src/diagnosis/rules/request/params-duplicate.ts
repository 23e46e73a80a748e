import type { Exchange, Param } from '../../../model/exchange.js';
import { visibleText } from '../../../model/visible-text.js';
import { MARK, paramMarks, TRUSTED_HEADERS } from '../../param-marks.js';
import { defineRule } from '../../rule.js';

export const paramsDuplicate = defineRule({
  id: 'params-duplicate',
  severity: 'note',
  title: 'A param came twice, and only one of the two is seen',
  meaning:
    'The backend got the same name with two values. PHP takes the last one and forgets the first; other programs may do the opposite. Two Cookie headers become one so, and a value that a visitor sends may take the place of one that the web server sets.',
  layer: 'remark',
  certainty: 'proven',
  remedies: {
    nginx: [
      'upgrade to 1.23 or newer, which joins header lines of one name; before, each becomes a param of its own.',
      'look for a fastcgi_param that is set twice: nginx -T | grep fastcgi_param.',
    ],
    haproxy: ['http-request set-header joins or picks: http-request set-header X-Forwarded-For %[src].'],
    h2o: ['the same headers arrive one by one; let the application read the last.'],
    any: ['Names with "_" and "-" become one param (X_Y and X-Y): let the web server drop headers with an underscore.'],
  },
  look: ['The Params tab shows both values.'],
  needs: ['marks'],
  seen: ['nginx → PHP-FPM'],
  check(exchange) {
    if ((paramMarks(exchange) & MARK.SAME_NAME) === 0) return null;
    const twin = firstTwin(exchange);
    if (twin === null) return null;
    return {
      detail: `${visibleText(twin.name, SHOWN)} came twice, with different values: PHP has the last one.`,
      evidence: [{ kind: 'param', name: twin.name }],
    };
  },
});

/** Characters of a name in a message. */
const SHOWN = 60;

/** The first param whose name came before it with another value. */
function firstTwin({ params }: Exchange): Param | null {
  const values = new Map<string, string>();
  for (const param of params.slice(0, LOOKED_AT)) {
    const { name, value } = param;
    const before = values.get(name);
    if (before === undefined) values.set(name, value);
    else if (before !== value && !TOLD_ELSEWHERE.has(name)) return param;
  }
  return null;
}

/** Params of one request that are compared: no web server sends more of its own accord. */
const LOOKED_AT = 400;

/** header-name-collision tells of these, and what comes of it. */
const TOLD_ELSEWHERE: ReadonlySet<string> = new Set(TRUSTED_HEADERS);
