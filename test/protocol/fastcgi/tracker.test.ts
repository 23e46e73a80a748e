import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../src/model/bytes.js';
import type { ProblemCode } from '../../../src/model/exchange.js';
import { RecordType, Role } from '../../../src/protocol/fastcgi/constants.js';
import {
  encodeBeginRequest,
  encodeGetValues,
  encodeGetValuesResult,
  encodeRecord,
  encodeUnknownType,
} from '../../../src/protocol/fastcgi/encoder.js';
import {
  abort,
  backend,
  begin,
  closed,
  end,
  finish,
  gap,
  get,
  only,
  page,
  params,
  part,
  play,
  type Step,
  text,
  web,
} from './conversation.js';

const FRAMING_LOST = text('this is no record at all, not at all');

/** A request that ends well but for one thing: [what, its steps, the problems of its first exchange]. */
const ON_THE_REQUEST: readonly (readonly [string, readonly Step[], readonly ProblemCode[]])[] = [
  ['nothing wrong', [web(get()), backend(page(), finish())], []],
  ['two empty STDIN records', [web(get(), part('stdin'))], ['after-end-of-stream']],
  ['STDIN after its end', [web(get(), part('stdin', 'x'))], ['after-end-of-stream']],
  ['PARAMS after their end', [web(get(), params())], ['after-end-of-stream', 'after-end-of-stream']],
  ['STDOUT after its end', [web(get()), backend(page(), part('stdout'), page())], ['after-end-of-stream']],
  [
    'STDIN after END_REQUEST',
    [web(begin(), params()), backend(finish()), web(part('stdin', 'x'))],
    ['after-end-request'],
  ],
  ['STDOUT after END_REQUEST', [web(get()), backend(finish(), page())], ['after-end-request']],
  ['a second END_REQUEST', [web(get()), backend(finish(), finish(1, 7))], ['after-end-request']],
  ['ABORT_REQUEST after END_REQUEST', [web(get()), backend(finish()), web(abort())], ['after-end-request']],
  ['BEGIN_REQUEST again during PARAMS', [web(begin(), begin(), params())], ['duplicate-begin-request']],
  ['BEGIN_REQUEST again after PARAMS', [web(get(), get())], ['duplicate-begin-request']],
  ['STDOUT from the web server', [web(get(), page())], ['wrong-direction']],
  ['STDERR from the web server', [web(get(), part('stderr', 'x'))], ['wrong-direction']],
  ['END_REQUEST from the web server', [web(get(), finish())], ['wrong-direction']],
  ['BEGIN_REQUEST from the backend', [web(get()), backend(begin())], ['wrong-direction']],
  ['ABORT_REQUEST from the backend', [web(get()), backend(abort())], ['wrong-direction']],
  ['PARAMS from the backend', [web(get()), backend(part('params', 'x'))], ['wrong-direction']],
  ['STDIN from the backend', [web(get()), backend(part('stdin', 'x'))], ['wrong-direction']],
  ['STDIN before the end of PARAMS', [web(begin(), part('stdin', 'x'))], ['data-before-params-end']],
  ['DATA for a responder', [web(get(), part('data', 'x'))], ['data-without-filter']],
  ['DATA for a filter', [web(get(1, Role.FILTER), part('data', 'x'), part('data'))], []],
  ['BEGIN_REQUEST with id 0', [web(get(0))], ['null-request-id']],
  [
    'a management type with the id of a request',
    [web(get()), backend(encodeRecord({ type: 11, requestId: 1, content: new Uint8Array(8) }))],
    ['management-with-request-id'],
  ],
  ['an unknown type', [web(get(), encodeRecord({ type: 99, requestId: 1 }))], ['unknown-record-type']],
  [
    'a wrong version',
    [web(get(), encodeRecord({ type: 5, requestId: 1, version: 2 })), closed],
    ['bad-version', 'after-end-of-stream'],
  ],
  [
    'a reserved byte',
    [web(get()), backend(encodeRecord({ type: 7, requestId: 1, reserved: 1 }))],
    ['reserved-not-zero'],
  ],
  [
    'an END_REQUEST too long',
    [web(get()), backend(encodeRecord({ type: 3, requestId: 1, content: new Uint8Array(9) }))],
    ['bad-body-length'],
  ],
  ['lost framing', [web(get()), backend(FRAMING_LOST, page(), finish()), closed], ['foreign-protocol']],
  ['lost framing later', [web(get()), backend(page(), FRAMING_LOST, page(), finish()), closed], ['lost-framing']],
  [
    'a record cut by the end',
    [web(get()), backend(page().subarray(0, 20)), end('server', 'fin')],
    ['truncated-record', 'stream-gap'],
  ],
  ['a header cut by the end', [web(get()), backend(page().subarray(0, 4)), end('server', 'fin')], ['truncated-record']],
  [
    'a gap in STDOUT',
    [web(get()), backend(page().subarray(0, 20)), gap('server', 5), backend(page().subarray(25), finish())],
    ['capture-gap', 'stream-gap'],
  ],
  [
    'a gap over whole records',
    [web(get()), backend(page()), gap('server', 100), backend(page(), page(), finish()), closed],
    ['capture-gap', 'lost-framing'],
  ],
  ['a pair cut by the end of PARAMS', [web(begin(), part('params', '\x05\x05abc'), part('params'))], ['params-cut']],
  ['a pair cut by the end of the connection', [web(begin(), part('params', '\x05\x05abc')), closed], ['params-cut']],
  [
    'an absurd length',
    [web(begin(), encodeRecord({ type: 4, requestId: 1, content: new Uint8Array(8).fill(0xff) }), part('params'))],
    ['params-length-absurd'],
  ],
];

describe('problems of a request', () => {
  it.each(ON_THE_REQUEST)('%s', (_, steps, codes) => {
    const { exchanges, summary } = play(steps);
    expect(exchanges[0]!.problems.map(({ code }) => code)).toEqual(codes);
    expect(exchanges[0]!.records.problems).toBe(codes.length);
    expect(summary.problems).toBe(0);
  });

  it('say where they are', () => {
    const { problems } = only(play([web(get(), part('stdin', 'late')), closed]));
    expect(problems).toEqual([
      {
        code: 'after-end-of-stream',
        at: 1000,
        side: 'client',
        offset: get().length,
        length: 12,
        message: 'STDIN of 4 bytes after its end',
      },
    ]);
  });
});

/** What belongs to no request: [what, steps, the problems of the connection, its management records]. */
const ON_THE_CONNECTION: readonly (readonly [string, readonly Step[], number, number])[] = [
  ['ABORT_REQUEST without BEGIN_REQUEST', [web(abort(5))], 1, 0],
  ['STDOUT for an unknown id', [backend(page(5))], 1, 0],
  ['END_REQUEST for an unknown id', [backend(finish(5))], 1, 0],
  ['STDIN with id 0', [web(part('stdin', 'x', 0))], 1, 0],
  ['BEGIN_REQUEST from the backend', [backend(begin(5))], 2, 0],
  [
    'GET_VALUES and its result',
    [web(encodeGetValues(['FCGI_MPXS_CONNS', 'X'])), backend(encodeGetValuesResult([]))],
    0,
    2,
  ],
  ['a second empty GET_VALUES_RESULT', [backend(encodeGetValuesResult([]), encodeGetValuesResult([]))], 0, 2],
  ['UNKNOWN_TYPE', [backend(encodeUnknownType(77))], 0, 1],
  ['GET_VALUES from the backend', [backend(encodeGetValues(['X']))], 1, 1],
  ['UNKNOWN_TYPE from the web server', [web(encodeUnknownType(77))], 1, 1],
  ['GET_VALUES with a request id', [web(encodeRecord({ type: 9, requestId: 5 }))], 1, 1],
  ['an unknown management type', [web(encodeRecord({ type: 50, requestId: 0 }))], 1, 1],
  ['unknown type 255 with id 65535', [web(encodeRecord({ type: 255, requestId: 65535 }))], 2, 0],
];

describe('problems of a connection', () => {
  it.each(ON_THE_CONNECTION)('%s', (_, steps, problems, managementRecords) => {
    // Beside a request that has nothing to do with it.
    const seen = play([web(get()), ...steps, backend(page(), finish()), closed]);
    expect(seen.summary).toMatchObject({ problems, managementRecords, requests: 1 });
    expect(only(seen)).toMatchObject({ outcome: 'completed', records: { total: 6 } });
    // What the backend says to nobody may be the answer that the request waits for, under a wrong id.
    const fromBackend = seen.records.filter(({ n, entry }) => n === null && entry.side === 'server');
    const codes = fromBackend.flatMap(({ entry }) => entry.problems);
    expect(only(seen).problems.map(({ code }) => code)).toEqual(codes);
    const stray = seen.records.filter(({ n }) => n === null);
    expect(stray.map(({ entry }) => entry.index)).toEqual(stray.map((_, i) => i));
    expect(stray.length).toBeGreaterThan(0);
  });
});

describe('GET_VALUES before any request', () => {
  const asked = web(encodeGetValues(['FCGI_MPXS_CONNS']));

  it('without an answer gets a row, since the web server never asks for more', () => {
    const seen = play([asked, end('client', 'reset'), closed]);
    expect(only(seen)).toMatchObject({
      requestId: 0,
      outcome: 'undecodable',
      problems: [{ code: 'values-unanswered' }],
    });
  });

  it('says nothing when it is answered, or when the capture ends too early to tell', () => {
    const answered = play([asked, backend(encodeGetValuesResult([])), end('client', 'fin'), closed]);
    expect(answered.exchanges).toEqual([]);
    expect(play([asked, end('client', 'capture-end'), end('server', 'capture-end'), closed]).exchanges).toEqual([]);
    expect(only(play([asked, web(get()), backend(page(), finish()), closed])).problems).toEqual([]);
  });
});

describe('a record of the backend for an unknown id', () => {
  it('says nothing of a request when it may be of one that is over', () => {
    const other = [web(begin(2), params(2), part('stdin', '', 2)), backend(page(5)), backend(page(2), finish(2))];
    const seen = play([web(get()), backend(page(), finish()), ...other, closed]);
    expect(seen.exchanges.map(({ problems }) => problems)).toEqual([[], []]);
    expect(seen.summary.problems).toBe(1);
  });
});

describe('a request', () => {
  it('is told of when it begins, and once when it is over', () => {
    const { events } = play([web(get()), backend(page()), backend(finish()), end('server', 'fin'), closed]);
    expect(events.map(({ kind, exchange }) => [kind, exchange.outcome])).toEqual([
      ['opened', null],
      ['settled', 'completed'],
    ]);
  });

  it('may be answered before STDIN ended, with STDERR in between', () => {
    const seen = play([
      web(begin(), params(), part('stdin', 'a')),
      backend(part('stdout', 'A: b\n'), part('stderr', 'oh'), part('stdout', '\nbody')),
      web(part('stdin', 'b'), part('stdin')),
      backend(finish()),
    ]);
    expect(only(seen)).toMatchObject({
      outcome: 'completed',
      problems: [],
      response: { status: 200, complete: true },
      bodyHead: text('body'),
      streams: { stdin: { bytes: 2 }, stdout: { bytes: 10 }, stderr: { bytes: 2 } },
      times: { begin: 1000, paramsEnd: 1000, stdinEnd: 3000, firstStdout: 2000, lastStdout: 2000, end: 4000 },
    });
  });

  it('uses an id again on a kept connection', () => {
    const one = [web(get(1, 1, 1)), backend(page(), finish())];
    const seen = play([...one, ...one, ...one, end('server', 'fin'), closed]);
    expect(seen.exchanges.map(({ n, precedingRequests, outcome }) => [n, precedingRequests, outcome])).toEqual([
      [1, 0, 'completed'],
      [2, 1, 'completed'],
      [3, 2, 'completed'],
    ]);
    expect(seen.summary.requests).toBe(3);
  });

  it('is amended by what comes after END_REQUEST', () => {
    const seen = play([web(begin(), params()), backend(page(), finish()), web(part('stdin', 'late'), part('stdin'))]);
    expect(seen.events.map(({ kind }) => kind)).toEqual(['opened', 'settled', 'amended', 'amended']);
    expect(only(seen)).toMatchObject({ outcome: 'completed', streams: { stdin: { bytes: 4, ended: true } } });
    expect(seen.events.at(-1)!.exchange.records).toMatchObject({ total: 7, problems: 2 });
  });

  it('that has the id now gets what comes late for the one before', () => {
    const seen = play([web(get()), backend(finish()), web(get()), backend(page(), finish())]);
    expect(seen.exchanges.map(({ streams }) => streams.stdout.bytes)).toEqual([0, 63]);
  });

  it('does not end, and keeps its status, when the web server says so', () => {
    const seen = play([web(get(), finish(1, 9)), backend(page(), finish(1, 1)), closed]);
    expect(only(seen)).toMatchObject({ appStatus: 1, outcome: 'completed', records: { total: 7 } });
  });

  it('that is begun again during its PARAMS goes on', () => {
    const seen = play([web(begin(1, 1), begin(1, 2), params()), backend(finish()), closed]);
    expect(only(seen)).toMatchObject({ role: 'responder', outcome: 'completed', paramsComplete: true });
  });

  it('that is begun again after its PARAMS is given up for the new one', () => {
    const seen = play([
      web(get()),
      backend(part('stdout', 'A: b\n\nfirst')),
      web(get()),
      backend(page(), finish()),
      closed,
    ]);
    expect(seen.exchanges.map(({ outcome, response }) => [outcome, response?.status])).toEqual([
      ['unfinished', 200],
      ['completed', 404],
    ]);
    expect(seen.exchanges.map(({ problems }) => problems.map(({ code }) => code))).toEqual([
      ['duplicate-begin-request'],
      ['duplicate-begin-request'],
    ]);
  });

  it('whose END_REQUEST was lost gives way to the next with its id', () => {
    const lost = [gap('server', 16), backend(page(), finish())];
    const whole = play([web(get()), backend(page()), web(get()), ...lost, closed]);
    expect(whole.exchanges.map(({ outcome }) => outcome)).toEqual(['unfinished', 'completed']);
    const early = play([web(begin()), gap('server', 16), web(get()), backend(page(), finish()), closed]);
    expect(early.exchanges.map(({ outcome }) => outcome)).toEqual(['undecodable', 'completed']);
  });

  it('keeps its id apart from others on a multiplexed connection', () => {
    const half = (id: number): Uint8Array => part('params', `\x01\x05A${'v'.repeat(id)}`, id);
    const rest = (id: number): Uint8Array =>
      concatBytes([part('params', 'w'.repeat(5 - id), id), part('params', '', id)]);
    const seen = play([
      web(begin(1), begin(3), half(1), half(3), rest(1), rest(3)),
      backend(page(3), finish(3), finish(1)),
      closed,
    ]);
    expect(seen.exchanges.map(({ params }) => params)).toEqual([
      [{ name: 'A', value: 'vwwww' }],
      [{ name: 'A', value: 'vvvww' }],
    ]);
    expect(seen.events.filter(({ kind }) => kind === 'settled').map(({ exchange }) => exchange.requestId)).toEqual([
      3, 1,
    ]);
  });

  it('may be padded anywhere', () => {
    const padded = [
      encodeRecord({ type: 1, requestId: 1, content: begin().subarray(8), padding: 255 }),
      encodeRecord({ type: 4, requestId: 1, content: params().subarray(8, 95), padding: 1 }),
      encodeRecord({ type: 4, requestId: 1, padding: 8 }),
      encodeRecord({ type: 5, requestId: 1, padding: 8 }),
    ];
    const seen = play([web(...padded), backend(encodeRecord({ type: 6, requestId: 1, padding: 8 }), finish()), closed]);
    expect(only(seen)).toMatchObject({
      outcome: 'completed',
      paramsComplete: true,
      problems: [],
      streams: { stdin: { ended: true }, stdout: { ended: true } },
    });
  });

  it('may be aborted in the middle of STDIN, and what comes after is still shown', () => {
    const seen = play([web(begin(), params(), part('stdin', 'x'), abort()), backend(page(), finish(1, 1)), closed]);
    expect(only(seen)).toMatchObject({ outcome: 'aborted', abortSeen: true, appStatus: 1, response: { status: 404 } });
  });

  it('whose PARAMS header is one byte short loses what follows, and is told of', () => {
    const short = params();
    short[5] = short[5]! - 1;
    const seen = play([web(begin(), short, part('stdin')), end('server', 'reset'), end('client', 'fin'), closed]);
    expect(only(seen)).toMatchObject({ outcome: 'backend-reset', paramsComplete: false });
    expect(only(seen).problems.map(({ code }) => code)).toContain('lost-framing');
  });

  it('has an unknown role when BEGIN_REQUEST is too short to tell', () => {
    const short = encodeRecord({ type: RecordType.BEGIN_REQUEST, requestId: 1, content: new Uint8Array(2) });
    const seen = play([web(short, params()), backend(finish()), closed]);
    expect(only(seen)).toMatchObject({
      role: 'unknown',
      keepConnection: null,
      paramsComplete: true,
      outcome: 'completed',
    });
  });

  it('does not end with an END_REQUEST that has no status', () => {
    const short = encodeRecord({ type: RecordType.END_REQUEST, requestId: 1, content: new Uint8Array(2) });
    const seen = play([web(get()), backend(short), closed]);
    expect(only(seen)).toMatchObject({ outcome: 'undecodable', appStatus: null });
  });

  it.each([
    [1, 0, 'responder', false],
    [2, 1, 'authorizer', true],
    [3, 0x80, 'filter', false],
    [9, 0xff, 'unknown-9', true],
  ])('has role %i and flags %i', (role, flags, word, keep) => {
    expect(only(play([web(encodeBeginRequest(1, role, flags))]))).toMatchObject({ role: word, keepConnection: keep });
  });
});

describe('a capture that began in the middle', () => {
  const midstream = { midstream: true };

  it('opens a request with what is seen of it, and reads neither params nor a head from the middle', () => {
    const seen = play(
      [web(part('params', '\x01\x01ab'), part('params'), part('stdin')), backend(page(), finish()), closed],
      midstream,
    );
    expect(only(seen)).toMatchObject({
      requestId: 1,
      role: 'unknown',
      keepConnection: null,
      params: [],
      paramsComplete: false,
      response: null,
      outcome: 'completed',
      streams: { params: { bytes: 4, ended: true } },
    });
    expect(only(seen).problems.map(({ code }) => code)).toContain('no-begin-request');
  });

  it('reads whole what begins later', () => {
    const seen = play(
      [web(part('stdin', 'x'), part('stdin')), backend(page(), finish()), web(get(2)), backend(page(2), finish(2))],
      midstream,
    );
    expect(seen.exchanges[1]).toMatchObject({ role: 'responder', paramsComplete: true, response: { status: 404 } });
  });

  it('is over when no request is open', () => {
    const seen = play([web(get()), backend(page(), finish()), backend(page(9), finish(9)), closed], midstream);
    expect(seen.exchanges).toHaveLength(1);
    expect(seen.summary.problems).toBe(2);
  });

  it('after a gap over BEGIN_REQUEST, a request is opened without it', () => {
    const seen = play([
      web(get()),
      backend(page(), finish()),
      gap('client', 16),
      web(params(), part('stdin')),
      backend(page(), finish()),
      closed,
    ]);
    expect(seen.exchanges[1]).toMatchObject({
      role: 'unknown',
      params: [],
      response: { status: 404 },
      outcome: 'completed',
    });
  });
});

describe('the timeline', () => {
  it('lists each record as it is assigned', () => {
    const { records } = play([web(get(4, 1, 1)), backend(part('stderr', 'x', 4), page(4), page(4), finish(4, 5))]);
    expect(
      records.map(({ entry }) => [entry.index, entry.side, entry.type, entry.streamOffset, entry.summary]),
    ).toEqual([
      [0, 'client', 'BEGIN_REQUEST', null, 'role responder, keep'],
      [1, 'client', 'PARAMS', 0, ''],
      [2, 'client', 'PARAMS', 87, ''],
      [3, 'client', 'STDIN', 0, ''],
      [4, 'server', 'STDERR', 0, ''],
      [5, 'server', 'STDOUT', 0, ''],
      [6, 'server', 'STDOUT', 63, ''],
      [7, 'server', 'END_REQUEST', null, 'app status 5, request complete'],
    ]);
    expect(records[5]!.entry).toMatchObject({ requestId: 4, typeCode: 6, version: 1, offset: 9, contentLength: 63 });
    expect(records[5]!.content).toEqual(page(4).subarray(8));
  });

  it('says what management records ask and answer', () => {
    const { records } = play([
      web(encodeGetValues(['FCGI_MAX_CONNS', 'FCGI_MPXS_CONNS'])),
      backend(encodeGetValuesResult([['FCGI_MPXS_CONNS', '0']]), encodeUnknownType(66)),
    ]);
    expect(records.map(({ entry }) => entry.summary)).toEqual([
      'FCGI_MAX_CONNS, FCGI_MPXS_CONNS',
      'FCGI_MPXS_CONNS=0',
      'type 66',
    ]);
  });

  it('names the problems that came to light with a record', () => {
    const { records } = play([web(get(), part('stdin', 'x'), encodeRecord({ type: 99, requestId: 1 }))]);
    expect(records.slice(4).map(({ entry }) => [entry.type, entry.problems])).toEqual([
      ['STDIN', ['after-end-of-stream']],
      ['type 99', ['unknown-record-type']],
    ]);
  });

  it('knows an app status of 0xdeadbeef', () => {
    const seen = play([web(get()), backend(finish(1, 0xdeadbeef))]);
    expect(only(seen).appStatus).toBe(0xdeadbeef);
    expect(seen.records.at(-1)!.entry.summary).toBe('app status 3735928559, request complete');
  });
});
