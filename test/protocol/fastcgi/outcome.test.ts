import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/model/exchange.js';
import {
  abort,
  backend,
  begin,
  closed,
  end,
  failed,
  finish,
  gap,
  get,
  only,
  page,
  part,
  play,
  REFUSED,
  type Step,
  text,
  web,
} from './conversation.js';

const bothClose = [end('server', 'fin'), end('client', 'fin'), closed];
const HALF_CLOSED = [web(get()), end('client', 'fin')];

/** [what happens, the script, the outcome, which of the steps (from 0) settles it] */
const CASES: readonly (readonly [string, readonly Step[], Outcome, number])[] = [
  ['END_REQUEST, then both close', [web(get()), backend(page(), finish()), ...bothClose], 'completed', 1],
  ['END_REQUEST with an app status', [web(get()), backend(page(), finish(1, 255)), ...bothClose], 'completed', 1],
  ['END_REQUEST without an answer', [web(get()), backend(finish()), ...bothClose], 'completed', 1],
  ['END_REQUEST before STDIN ended', [web(begin()), backend(finish()), ...bothClose], 'completed', 1],
  ['CANT_MPX_CONN', [web(get()), backend(finish(1, 0, 1)), ...bothClose], 'rejected', 1],
  ['OVERLOADED', [web(get()), backend(finish(1, 0, 2)), ...bothClose], 'rejected', 1],
  ['UNKNOWN_ROLE', [web(get()), backend(finish(1, 0, 3)), ...bothClose], 'rejected', 1],
  ['an unknown protocol status', [web(get()), backend(finish(1, 0, 9)), ...bothClose], 'rejected', 1],
  [
    'a web server that resets after END_REQUEST, as Caddy does',
    [web(get()), backend(page(), finish()), end('client', 'reset'), closed],
    'completed',
    1,
  ],
  ['ABORT_REQUEST, then END_REQUEST', [web(get(), abort()), backend(page(), finish()), ...bothClose], 'aborted', 1],
  ['ABORT_REQUEST, then both close', [web(get(), abort()), ...bothClose], 'aborted', 2],
  ['ABORT_REQUEST, then the web server leaves', [web(get(), abort()), end('client', 'reset'), closed], 'aborted', 2],
  ['the backend closes before anything', [web(get()), ...bothClose], 'backend-closed', 2],
  ['the backend closes in the answer', [web(get()), backend(page()), ...bothClose], 'backend-closed', 3],
  ['the backend resets', [web(get()), backend(page()), end('server', 'reset'), closed], 'backend-reset', 3],
  [
    'the backend resets, the web server follows',
    [web(get()), end('server', 'reset'), end('client', 'reset'), closed],
    'backend-reset',
    2,
  ],
  [
    'a kept connection that the backend had closed before',
    [end('server', 'fin'), web(get()), end('client', 'fin'), closed],
    'backend-closed',
    2,
  ],
  [
    'a FIN in the middle of END_REQUEST',
    [web(get()), backend(page(), finish().subarray(0, 10)), ...bothClose],
    'backend-closed',
    3,
  ],
  [
    'a FIN in the header of END_REQUEST',
    [web(get()), backend(page(), finish().subarray(0, 5)), ...bothClose],
    'backend-closed',
    3,
  ],
  [
    'half-closed, whole answer taken',
    [...HALF_CLOSED, backend(page(), finish()), end('server', 'fin'), closed],
    'completed',
    4,
  ],
  ['half-closed, rejected', [...HALF_CLOSED, backend(finish(1, 0, 2)), end('server', 'fin'), closed], 'rejected', 4],
  [
    'half-closed, whole answer taken, backend resets',
    [...HALF_CLOSED, backend(page(), finish()), end('server', 'reset'), closed],
    'completed',
    4,
  ],
  [
    'half-closed, then the backend stops in the middle',
    [...HALF_CLOSED, backend(page()), end('server', 'fin'), closed],
    'backend-closed',
    4,
  ],
  ['the web server closed, the backend closes', [...HALF_CLOSED, end('server', 'fin'), closed], 'web-server-closed', 3],
  [
    'the web server closed, the backend’s reset is a mere consequence',
    [...HALF_CLOSED, end('server', 'reset'), closed],
    'web-server-closed',
    3,
  ],
  [
    'the web server closed, the answer meets a reset',
    [...HALF_CLOSED, backend(page(), finish()), end('client', 'reset'), end('server', 'fin'), closed],
    'web-server-closed',
    3,
  ],
  [
    'the web server closed, the reset comes after the backend’s FIN',
    [...HALF_CLOSED, backend(page(), finish()), end('server', 'fin'), end('client', 'reset'), closed],
    'web-server-closed',
    4,
  ],
  [
    'the web server closed while the answer streamed, then reset',
    [
      web(get()),
      backend(page()),
      end('client', 'fin'),
      backend(page()),
      end('client', 'reset'),
      end('server', 'fin'),
      closed,
    ],
    'web-server-closed',
    5,
  ],
  ['the web server closed and no more is said', [...HALF_CLOSED, closed], 'web-server-closed', 2],
  ['the web server resets', [web(get()), end('client', 'reset'), end('server', 'fin'), closed], 'web-server-reset', 2],
  [
    'the web server resets, END_REQUEST was under way',
    [web(get()), end('client', 'reset'), backend(finish()), end('server', 'fin'), closed],
    'web-server-reset',
    2,
  ],
  ['not connected', [web(get()), failed(REFUSED), closed], 'not-connected', 2],
  ['not connected, before anything was read', [failed(REFUSED), closed], 'not-connected', 1],
  [
    'not connected, with the web server gone',
    [web(get()), end('client', 'reset'), failed(REFUSED), closed],
    'not-connected',
    3,
  ],
  [
    'the capture ends',
    [web(get()), end('client', 'capture-end'), end('server', 'capture-end'), closed],
    'unfinished',
    2,
  ],
  [
    'nothing is said for long',
    [web(get()), end('client', 'timeout'), end('server', 'timeout'), closed],
    'unfinished',
    2,
  ],
  ['the source lets go', [web(get()), closed], 'unfinished', 1],
  ['half-closed, then the capture ends', [...HALF_CLOSED, end('server', 'capture-end'), closed], 'unfinished', 3],
  [
    'the backend speaks HTTP',
    [web(get()), backend(text('HTTP/1.1 400 Bad Request\r\n\r\n')), ...bothClose],
    'undecodable',
    3,
  ],
  [
    'a gap over END_REQUEST',
    [web(get()), backend(page()), gap('server', 16), end('server', 'fin'), end('client', 'fin'), closed],
    'undecodable',
    4,
  ],
  [
    'a gap in END_REQUEST',
    [
      web(get()),
      backend(finish().subarray(0, 8)),
      gap('server', 8),
      end('server', 'fin'),
      end('client', 'fin'),
      closed,
    ],
    'undecodable',
    4,
  ],
  ['HTTP sent to the FastCGI port', [web(text('GET / HTTP/1.1\r\nHost: x\r\n\r\n')), ...bothClose], 'undecodable', 3],
];

describe('the outcome of a request', () => {
  it.each(CASES)('%s', (_, steps, outcome, settledBy) => {
    const seen = play(steps);
    expect(only(seen).outcome).toBe(outcome);
    expect(seen.events.filter(({ kind }) => kind === 'settled')).toHaveLength(1);
    // Not a step earlier, not a step later.
    expect(play(steps.slice(0, settledBy)).events.filter(({ kind }) => kind === 'settled')).toHaveLength(0);
    expect(play(steps.slice(0, settledBy + 1)).events.filter(({ kind }) => kind === 'settled')).toHaveLength(1);
  });

  it('covers every outcome', () => {
    expect(new Set(CASES.map(([, , outcome]) => outcome)).size).toBe(10);
  });

  it('has app status and protocol status exactly when END_REQUEST was seen', () => {
    for (const [, steps] of CASES) {
      const seen = play(steps);
      const whole = seen.records.some(({ entry }) => entry.type === 'END_REQUEST' && entry.missing === 0);
      expect(only(seen).appStatus !== null).toBe(whole);
      expect(only(seen).protocolStatus !== null).toBe(whole);
    }
  });

  it('says nothing of a connection on which nobody sent a byte', () => {
    const seen = play([end('client', 'fin'), end('server', 'fin'), closed]);
    expect(seen.events).toEqual([]);
    expect(seen.summary).toMatchObject({ requests: 0, endedBy: 'web-server', how: 'fin', endedAt: 1000 });
    const joined = play([...bothClose], { midstream: true });
    expect(joined.events).toEqual([]);
  });

  it('tells of a backend that ended the connection at once, before a byte, and not of one that waited first', () => {
    for (const [how, outcome] of [
      ['fin', 'backend-closed'],
      ['reset', 'backend-reset'],
    ] as const) {
      const seen = play([end('server', how), end('client', 'fin'), closed]);
      expect(only(seen)).toMatchObject({ requestId: 0, outcome, connectionEnd: { endedBy: 'backend', how } });
      expect(seen.summary).toMatchObject({ requests: 0, problems: 0 });
    }
    const late = { at: 2_000_000 };
    const waited = play([
      { ...end('server', 'fin'), ...late },
      { ...end('client', 'fin'), ...late },
      { ...closed, ...late },
    ]);
    expect(waited.events).toEqual([]);
  });

  it('keeps the appStatus of an answer that nobody took', () => {
    const seen = play([...HALF_CLOSED, backend(page(), finish(1, 3)), end('client', 'reset'), closed]);
    expect(only(seen)).toMatchObject({ outcome: 'web-server-closed', appStatus: 3, response: { status: 404 } });
  });

  it('takes what the web server still sends after the backend’s FIN', () => {
    const seen = play([web(begin()), end('server', 'fin'), web(part('params', 'x')), end('client', 'fin'), closed]);
    expect(only(seen)).toMatchObject({ outcome: 'backend-closed', streams: { params: { bytes: 1 } } });
  });

  it('decides each request of a multiplexed connection by itself', () => {
    const seen = play([web(get(1), get(3), abort(3), get(5)), backend(finish(5)), ...bothClose]);
    expect(seen.exchanges.map(({ requestId, outcome }) => [requestId, outcome])).toEqual([
      [1, 'backend-closed'],
      [3, 'aborted'],
      [5, 'completed'],
    ]);
  });
});

describe('the end of the connection as a request met it', () => {
  it('is null while both sides are open', () => {
    expect(only(play([web(get()), backend(page(), finish()), ...bothClose])).connectionEnd).toBeNull();
  });

  const cases: readonly (readonly [string, readonly Step[], object])[] = [
    [
      'after the second STDOUT record',
      [web(get()), backend(page(), page()), end('server', 'reset'), closed],
      { endedBy: 'backend', how: 'reset', at: 3000, afterRecords: 6, afterRecord: 'STDOUT record 2' },
    ],
    [
      'after BEGIN_REQUEST',
      [web(begin()), end('client', 'fin'), end('server', 'fin'), closed],
      { endedBy: 'web-server', how: 'fin', at: 2000, afterRecords: 1, afterRecord: 'BEGIN_REQUEST' },
    ],
    [
      'before any record',
      [end('server', 'fin'), web(get()), closed],
      { endedBy: 'backend', how: 'fin', at: 1000, afterRecords: 0, afterRecord: null },
    ],
    [
      'a reset after a FIN leaves it a FIN',
      [web(get()), end('client', 'fin'), end('client', 'reset'), closed],
      { endedBy: 'web-server', how: 'fin', at: 2000, afterRecords: 4, afterRecord: 'STDIN record 1' },
    ],
    [
      'the capture’s end',
      [web(get()), end('client', 'capture-end'), end('server', 'capture-end'), closed],
      { endedBy: 'capture-end', how: 'capture-end', at: 2000 },
    ],
    ['a time-out', [web(get()), end('server', 'timeout'), closed], { endedBy: 'timeout', how: 'timeout' }],
  ];
  it.each(cases)('%s', (_, steps, expected) => {
    expect(only(play(steps)).connectionEnd).toMatchObject(expected);
  });

  it('ends the request when nobody else did, but never before it began', () => {
    expect(only(play([web(get()), end('server', 'fin'), end('client', 'fin')])).times.end).toBe(2000);
    expect(only(play([end('server', 'fin'), web(get()), end('client', 'fin')])).times).toMatchObject({
      begin: 2000,
      end: 2000,
    });
  });
});

describe('a request that never reached the backend', () => {
  it('tells why', () => {
    expect(only(play([web(get()), failed(REFUSED), closed]))).toMatchObject({
      requestId: 1,
      url: 'http://example.org/a?b=c',
      failure: REFUSED,
      outcome: 'not-connected',
    });
  });

  it('has a row without BEGIN_REQUEST too, which is no request of the connection', () => {
    const seen = play([failed(REFUSED), closed]);
    expect(only(seen)).toMatchObject({ n: 1, requestId: 0, role: 'unknown', keepConnection: null, failure: REFUSED });
    expect(seen.summary).toMatchObject({ requests: 0, failure: REFUSED });
  });
});

describe('bytes that are no request', () => {
  it('get a row that says what is wrong', () => {
    const seen = play([web(text('GET / HTTP/1.1\r\nHost: x\r\n\r\n')), end('server', 'reset'), closed]);
    expect(only(seen)).toMatchObject({ requestId: 0, role: 'unknown', times: { begin: 1, end: 2000 } });
    expect(only(seen).problems.map(({ code }) => code)).toEqual(['foreign-protocol']);
    expect(only(seen).records).toMatchObject({ total: 0, problems: 1 });
    expect(seen.summary).toMatchObject({ requests: 0, problems: 1, bytes: { client: 27, server: 0 } });
  });

  it('a few bytes, a stray record and a gap get one as well', () => {
    for (const steps of [[web(text('\x01'))], [web(abort())], [gap('client', 100)], [backend(finish())]]) {
      expect(only(play([...steps, ...bothClose])).outcome).toBe('undecodable');
    }
  });

  it('management records alone do not, as long as a question is answered', () => {
    const values = Uint8Array.of(1, 9, 0, 0, 0, 0, 0, 0);
    const seen = play([web(values), backend(Uint8Array.of(1, 10, 0, 0, 0, 0, 0, 0)), ...bothClose]);
    expect(seen.exchanges).toEqual([]);
    expect(seen.summary.managementRecords).toBe(2);
  });
});
