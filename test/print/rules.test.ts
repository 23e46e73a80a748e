import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { defineRule } from '../../src/diagnosis/rule.js';
import { RULES } from '../../src/diagnosis/rules/index.js';
import { ruleList, rulePage } from '../../src/print/rules.js';

const PLAIN = { color: false };
const RULE = defineRule({
  id: 'worker-tired',
  severity: 'warning',
  title: 'The worker is tired',
  meaning: 'It has worked for too long.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: { any: ['Let it sleep.'], lighttpd: ['server.max-worker = 2'], 'php-fpm': ['pm.max_requests = 500'] },
  alternatives: [{ cause: 'It is bored.', tell: 'It yawns in the log.' }],
  look: ['The log.'],
  seen: [],
  check: () => null,
});

describe('rules', () => {
  it('are listed in a line each, aligned', () => {
    const lines = ruleList(PLAIN).split('\n');
    for (const { id, severity, layer, title } of RULES) {
      const line = lines.filter((text) => text.startsWith(`  ${id} `));
      expect(line).toHaveLength(1);
      expect(line[0]!.trim().split(/ {2,}/)).toEqual([id, severity, layer, title]);
    }
    const titles = lines
      .filter((line) => line.startsWith('  '))
      .map((line) => /(cause|consequence|remark) /.exec(line)?.index);
    expect(new Set(titles).size).toBe(1);
    expect(lines.at(-2)).toBe(`${RULES.length} rules. fcgi-inspect rules ID tells all about one.`);
  });

  it('are told in full', () => {
    expect(rulePage(RULE, PLAIN)).toBe(`The worker is tired
worker-tired, warning

It has worked for too long.

How sure it is
What passes on the wire fits it, and does not prove it. It may also be:
  ? It is bored.
    To tell: It yawns in the log.

What to change
  - Let it sleep.
  lighttpd
    - server.max-worker = 2
  PHP-FPM
    - pm.max_requests = 500

Where to look next
  > The log.

How it is reported
A cause: it makes requests go wrong.
Made from the specification and the servers’ sources: it has not been seen on a
real server yet.
Find such requests with the filter: -Y 'finding == worker-tired'
`);
  });

  it('say where they were seen, and when nothing else fits', () => {
    const page = rulePage(
      { ...RULE, certainty: 'proven', alternatives: [], seen: ['nginx → PHP-FPM', 'Caddy → x'] },
      PLAIN,
    );
    expect(page).toContain('What passes on the wire proves it.\n');
    expect(page).toContain('Seen on real servers: nginx → PHP-FPM; Caddy → x.\n');
  });

  it('fit 80 columns, and colours take no room', () => {
    for (const rule of RULES) {
      const page = rulePage(rule, PLAIN);
      for (const line of page.split('\n')) expect(stringWidth(line)).toBeLessThanOrEqual(80);
      expect(rulePage(rule, { color: true }).replaceAll(/\x1b\[\d+m/g, '')).toBe(page);
    }
    expect(ruleList({ color: true })).toContain('\x1b[31merror');
    expect(ruleList({ color: true }).replaceAll(/\x1b\[\d+m/g, '')).toBe(ruleList(PLAIN));
  });
});
