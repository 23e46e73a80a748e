import { describe, expect, it } from 'vitest';
import { nearestIds } from '../../src/diagnosis/nearest-ids.js';
import { productsOf, remediesFor } from '../../src/diagnosis/remedies.js';
import { RULE_GROUPS, ruleOf } from '../../src/diagnosis/rule-groups.js';
import { RULES } from '../../src/diagnosis/rules/index.js';
import { storedExchange } from '../support/exchange-fixture.js';

describe('rule groups', () => {
  it('have every rule once', () => {
    const grouped = RULE_GROUPS.flatMap(({ rules }) => rules.map(({ id }) => id));
    expect([...grouped].sort()).toEqual(RULES.map(({ id }) => id).sort());
    expect(new Set(grouped).size).toBe(grouped.length);
  });

  it('find a rule by its id', () => {
    for (const rule of RULES) expect(ruleOf(rule.id)).toBe(rule);
    expect(ruleOf('no-rule')).toBeNull();
  });
});

describe('nearestIds', () => {
  const ids = ['connect-refused-tcp', 'connect-timeout', 'crash-mid-response', 'php-fatal', 'terminate-timeout'];

  it.each([
    ['php-fatl', 'php-fatal'],
    ['PHP-FATAL', 'php-fatal'],
    ['fatal-php', 'php-fatal'],
    ['refused', 'connect-refused-tcp'],
    ['crash mid response', 'crash-mid-response'],
  ])('of %j', (wanted, id) => {
    expect(nearestIds(wanted, ids)[0]).toBe(id);
  });

  it('of a word that several have are all of them, three at most', () => {
    expect(nearestIds('timeout', ids)).toEqual(['connect-timeout', 'terminate-timeout']);
    expect(
      nearestIds(
        'a',
        ['ab', 'ac', 'ad', 'ae'].map((id) => `${id}`),
      ),
    ).toHaveLength(0);
    expect(nearestIds('abc', ['abd', 'abe', 'abf', 'abg'])).toHaveLength(3);
  });

  it('are none where nothing is near', () => {
    expect(nearestIds('zzz', ids)).toEqual([]);
    expect(nearestIds('', ids)).toEqual([]);
    expect(nearestIds('x'.repeat(100_000), ids)).toEqual([]);
  });
});

describe('remediesFor', () => {
  const remedies = { any: ['First.'], nginx: ['n'], caddy: ['c'], 'php-fpm': ['f'], libfcgi: ['l'] };

  it('gives those of what is at hand, and of an end that is not known, all', () => {
    expect(remediesFor(remedies, [])).toEqual(['First.', 'nginx: n', 'Caddy: c', 'PHP-FPM: f', 'libfcgi: l']);
    expect(remediesFor(remedies, ['nginx'])).toEqual(['First.', 'nginx: n', 'PHP-FPM: f', 'libfcgi: l']);
    expect(remediesFor(remedies, ['php-fpm', 'php'])).toEqual(['First.', 'nginx: n', 'Caddy: c', 'PHP-FPM: f']);
    expect(remediesFor(remedies, ['nginx', 'caddy', 'libfcgi'])).toEqual([
      'First.',
      'nginx: n',
      'Caddy: c',
      'libfcgi: l',
    ]);
    expect(remediesFor({}, ['nginx'])).toEqual([]);
  });

  it('knows the products by what they say of themselves', () => {
    const { exchange } = storedExchange({ params: { SERVER_SOFTWARE: 'lighttpd/1.4.69' } });
    expect(productsOf(exchange)).toEqual(['lighttpd', 'php-fpm', 'php']);
    expect(productsOf(storedExchange({ stdout: 'A: b\r\n\r\n' }).exchange)).toEqual([]);
  });
});
