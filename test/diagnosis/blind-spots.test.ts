import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLIND, blindSpots, seenWhole } from '../../src/diagnosis/blind-spots.js';
import { diagnose } from '../../src/diagnosis/diagnose.js';
import type { Exchange } from '../../src/model/exchange.js';
import type { Finding } from '../../src/model/finding.js';
import type { Surroundings } from '../../src/model/surroundings.js';
import {
  backend,
  closed,
  end,
  finish,
  gap,
  get,
  only,
  page,
  play,
  type Step,
  web,
} from '../protocol/fastcgi/conversation.js';
import { events } from '../protocol/fastcgi/lossy-conversation.js';
import { type ExchangeOptions, storedExchange } from '../support/exchange-fixture.js';
import { surroundings } from '../support/surroundings-fixture.js';
import { problem } from './cases/protocol.js';
import { FAULTS, lossesOf, traffic } from './lossy-traffic.js';

/** Of each moment how long it takes, in microseconds, and what a backend under load looks like. */
const PACES: readonly (readonly [pace: number, around: Surroundings | null])[] = [
  [
    1_000,
    surroundings({
      openBefore: 3,
      servedMeanwhile: 2,
      idleConnections: 4,
      usualWait: 5,
      backend: { answered: 0, unanswered: 2, cutAtOnce: 3 },
    }),
  ],
  [4_000_000, null],
];

function found(steps: readonly Step[], [pace, around]: (typeof PACES)[number]): readonly Finding[] {
  const { exchanges } = play(steps.map((step) => ({ ...step, at: 1 + (step.at ?? 0) * pace })));
  return exchanges.flatMap((exchange) => diagnose(exchange, around));
}

const grave = (findings: readonly Finding[]): string[] =>
  [...new Set(findings.filter(({ severity }) => severity !== 'note').map(({ id }) => id))].sort();

const lossy = (faults: Parameters<typeof traffic>[0]) =>
  traffic(faults).chain((one) => lossesOf(one).map((losses) => [one, losses] as const));
const chunks = fc.constantFrom(7, 100, 1448, 65_536);
const paces = fc.constantFrom(...PACES);

describe('what was not captured', () => {
  it('is nothing that a healthy request lacks', () => {
    fc.assert(
      fc.property(lossy(['none']), chunks, paces, ([one, losses], chunk, pace) => {
        expect(grave(found(events(one, [], chunk), pace))).toEqual([]);
        expect(grave(found(events(one, losses, chunk), pace))).toEqual([]);
      }),
      { numRuns: 600 },
    );
  });

  it('makes no other fault of the one that there is', () => {
    fc.assert(
      fc.property(lossy(FAULTS), chunks, ([one, losses], chunk) => {
        const [pace] = PACES.slice(1) as [(typeof PACES)[number]];
        const known = grave(found(events(one, [], chunk), pace));
        expect(known.length, one.fault).toBeGreaterThan(0);
        for (const id of grave(found(events(one, losses, chunk), pace))) expect(known).toContain(id);
      }),
      { numRuns: 600 },
    );
  });
});

describe('capture-incomplete', () => {
  const detail = (steps: readonly Step[]): string | undefined =>
    diagnose(only(play(steps))).find(({ id }) => id === 'capture-incomplete')?.detail;

  it('tells how much of which stream is missing, and that records cannot be told', () => {
    const body = page();
    const within = [
      web(get()),
      backend(body.subarray(0, 30)),
      gap('server', 10),
      backend(body.subarray(40), finish()),
      closed,
    ];
    expect(detail(within)).toBe(
      'Of what the backend sent, 10 bytes are not in the capture (10 bytes of STDOUT), from its byte 30 on.',
    );
    const header = [web(get()), gap('server', 20), backend(body.subarray(20), finish()), closed];
    expect(detail(header)).toContain('20 bytes are not in the capture');
    expect(detail(header)).toMatch(/cannot be told apart in records/);
    expect(diagnose(only(play(header))).map(({ id, severity }) => `${severity} ${id}`)).toEqual([
      'note capture-incomplete',
    ]);
  });

  it('tells of a request whose beginning or end was not seen', () => {
    const late = play([backend(page(), finish()), closed], { midstream: true });
    expect(diagnose(only(late)).map(({ id }) => id)).toEqual(['capture-incomplete']);
    const endless = play([web(get()), backend(page()), gap('server', 16), end('server', 'fin'), closed]);
    expect(diagnose(only(endless)).find(({ id }) => id === 'capture-incomplete')?.detail).toContain(
      'What became of it',
    );
  });

  it('says nothing where a peer cut its own record off', () => {
    const died = play([
      web(get()),
      backend(page().subarray(0, 20)),
      end('server', 'fin'),
      end('client', 'fin'),
      closed,
    ]);
    const found = diagnose(only(died)).map(({ id }) => id);
    expect(found).not.toContain('capture-incomplete');
    expect(found.length).toBeGreaterThan(0);
  });
});

describe('blindSpots', () => {
  const spots = (override: Partial<Exchange>) => blindSpots(storedExchange({ override }).exchange);

  it('are the sides of which something was missed', () => {
    expect(spots({})).toBe(0);
    for (const side of ['client', 'server'] as const) {
      const gapped = spots({
        problems: [problem('capture-gap', 'a gap', { side })],
        records: { total: 4, gaps: 1, problems: 1 },
      });
      expect(gapped).toBe(BLIND[side]);
    }
    expect(spots({ role: 'unknown' })).toBe(3);
    expect(spots({ role: 'unknown', requestId: 0 })).toBe(0);
    // Problems that are not kept may be of either side.
    expect(spots({ problems: [problem('null-request-id', 'x')], records: { total: 4, gaps: 0, problems: 21 } })).toBe(
      3,
    );
    expect(spots({ problems: [problem('null-request-id', 'x')], records: { total: 4, gaps: 1, problems: 1 } })).toBe(3);
  });

  it('are none where a peer ended in the middle of a record, but where the capture did', () => {
    const streams = {
      ...storedExchange().exchange.streams,
      stdout: { bytes: 9, records: 1, ended: false, missing: 5 },
    };
    const cut = (how: 'fin' | 'capture-end') =>
      spots({
        streams,
        problems: [problem('truncated-record', 'cut')],
        connectionEnd: { endedBy: how === 'fin' ? 'backend' : how, how, at: 1, afterRecords: 1, afterRecord: null },
      });
    expect(cut('fin')).toBe(0);
    expect(cut('capture-end')).toBe(BLIND.server);
    expect(seenWhole(storedExchange({ override: { streams } }).exchange, 'server')).toBe(false);
    expect(seenWhole(storedExchange({ override: { streams } }).exchange, 'client')).toBe(true);
  });
});

describe('rules that take only a part of it for absent', () => {
  const gapped = (side: 'client' | 'server', options: ExchangeOptions): readonly Finding[] =>
    diagnose(
      storedExchange({
        ...options,
        override: {
          ...options.override,
          problems: [problem('capture-gap', 'a gap', { side })],
          records: { total: 9, gaps: 1, problems: 1 },
        },
      }).exchange,
    );
  const params = (changes: Record<string, string | null>) => ({ params: changes });

  it.each([
    ['exposed-fastcgi-port', 'client', params({ SCRIPT_FILENAME: '/srv/www/lib/PEAR.php' })],
    ['php-value-injection', 'client', params({ PHP_ADMIN_VALUE: 'sendmail_path = /usr/sbin/sendmail -t -f a@b' })],
    ['php-fatal', 'server', { stdout: 'Status: 500\r\nX-Powered-By: PHP/8.2\r\nContent-Type: text/html\r\n\r\n' }],
    ['unknown-role', 'server', { stdout: '', outcome: 'backend-closed', override: { role: 'unknown-9' } }],
  ] as const)('%s says nothing where the %s was not seen whole', (id, side, options) => {
    expect(diagnose(storedExchange(options).exchange).map((finding) => finding.id)).toContain(id);
    expect(gapped(side, options).map((finding) => finding.id)).not.toContain(id);
  });

  it('do not say that a param is missing', () => {
    const refused = {
      stdout: 'Status: 404\r\nContent-Type: text/html\r\n\r\nNo input file specified.',
      ...params({ SCRIPT_FILENAME: null }),
    };
    const [found] = gapped('client', refused);
    expect(found).toMatchObject({ id: 'no-input-file-specified' });
    expect(found!.detail).toContain('SCRIPT_FILENAME was not seen');
    expect(found!.detail).not.toContain('sends no path');
  });
});
