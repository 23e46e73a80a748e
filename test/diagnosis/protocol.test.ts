import { describe, expect, it } from 'vitest';
import { diagnose } from '../../src/diagnosis/diagnose.js';
import { RULES } from '../../src/diagnosis/rules/index.js';
import type { Side } from '../../src/model/connection.js';
import type { Exchange, ProblemCode } from '../../src/model/exchange.js';
import type { Finding } from '../../src/model/finding.js';
import { Role } from '../../src/protocol/fastcgi/constants.js';
import { encodeGetValues, encodeRecord } from '../../src/protocol/fastcgi/encoder.js';
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
} from '../protocol/fastcgi/conversation.js';
import { type ExchangeOptions, storedExchange } from '../support/exchange-fixture.js';
import { CASES, problem, remarked } from './cases/protocol.js';

const findings = (options: ExchangeOptions): readonly Finding[] => diagnose(storedExchange(options).exchange);
const ids = (options: ExchangeOptions): string[] => findings(options).map(({ id }) => id);
const serious = (exchange: Exchange): string[] =>
  diagnose(exchange)
    .filter(({ severity }) => severity !== 'note')
    .map(({ id }) => id);

describe('rules about the protocol', () => {
  it.each(CASES)('%s is the one finding', (id, trigger) => {
    expect(ids(trigger)).toEqual([id]);
  });

  it.each(CASES)('%s says what was seen, what to do and where to look', (_id, trigger) => {
    const [finding] = findings(trigger);
    expect(finding!.detail).toMatch(/^[A-Z].{10}.*\.$/);
    expect(finding!.advice.length).toBeGreaterThan(0);
    expect(finding!.look.length).toBeGreaterThan(0);
    if (finding!.certainty === 'allowed') expect(finding!.alternatives.length).toBeGreaterThan(0);
    expect(finding!.detail).not.toMatch(/undefined|null|NaN|\$\{|\s{2}/);
  });
});

/** Whose it is: a finding, or `nothing` for what is deliberately a problem only, with the reason. */
type Fate = { readonly finding: string } | { readonly nothing: string };

/**
 * Every problem that decoder and tracker know, from each side that it can come from: [code, side, steps that bring it about, its fate].
 * Remarks of severity `note` may stand beside.
 */
const FATES: readonly (readonly [ProblemCode, Side, readonly Step[], Fate])[] = [
  [
    'bad-version',
    'server',
    [
      web(get()),
      backend(encodeRecord({ type: 6, requestId: 1, version: 2, content: text('A: b\n\nx') }), finish()),
      closed,
    ],
    { finding: 'version-mismatch' },
  ],
  [
    'bad-version',
    'client',
    [
      web(
        encodeRecord({ type: 1, requestId: 1, version: 2, content: Uint8Array.of(0, 1, 0, 0, 0, 0, 0, 0) }),
        params(),
        part('stdin'),
      ),
      backend(page(), finish()),
      closed,
    ],
    { finding: 'version-mismatch' },
  ],
  [
    'lost-framing',
    'server',
    [web(get()), backend(page(), text('\0\0\0\0\0'), page(), finish()), closed],
    { finding: 'padding-or-length-error' },
  ],
  [
    'lost-framing',
    'client',
    [web(begin(), text('\0\0\0\0\0'), params(), part('stdin')), backend(page(), finish()), closed],
    { finding: 'padding-or-length-error' },
  ],
  ['foreign-protocol', 'client', [web(text('GET / HTTP/1.1\r\n\r\n')), closed], { finding: 'peer-speaks-not-fastcgi' }],
  [
    'foreign-protocol',
    'server',
    [web(get()), backend(text('HTTP/1.1 400 Bad Request\r\n\r\n')), closed],
    { finding: 'backend-speaks-http' },
  ],
  [
    'truncated-record',
    'server',
    [web(get()), backend(page().subarray(0, 20)), end('server', 'fin'), end('client', 'fin'), closed],
    { finding: 'truncated-record' },
  ],
  [
    'truncated-record',
    'client',
    [web(begin(), params(), part('stdin', 'the form').subarray(0, 10)), end('client', 'fin'), closed],
    {
      nothing:
        'what matters is that the web server went before the request was whole, and that is what the outcome says',
    },
  ],
  [
    'capture-gap',
    'server',
    [web(get()), backend(page().subarray(0, 20)), gap('server', 5), backend(page().subarray(25), finish()), closed],
    { finding: 'capture-incomplete' },
  ],
  [
    'stream-gap',
    'server',
    [web(get()), backend(page().subarray(0, 20)), gap('server', 5), backend(page().subarray(25), finish()), closed],
    { finding: 'capture-incomplete' },
  ],
  [
    'reserved-not-zero',
    'server',
    [web(get()), backend(encodeRecord({ type: 7, requestId: 1, reserved: 1 }), page(), finish()), closed],
    { nothing: 'nobody reads that byte' },
  ],
  [
    'bad-body-length',
    'server',
    [web(get()), backend(page(), encodeRecord({ type: 3, requestId: 1, content: new Uint8Array(9) })), closed],
    { finding: 'padding-or-length-error' },
  ],
  [
    'bad-body-length',
    'client',
    [
      web(encodeRecord({ type: 1, requestId: 1, content: new Uint8Array([0, 1, 0, 0]) }), params(), part('stdin')),
      backend(page(), finish()),
      closed,
    ],
    { finding: 'padding-or-length-error' },
  ],
  [
    'unknown-record-type',
    'server',
    [web(get()), backend(encodeRecord({ type: 99, requestId: 1 }), page(), finish()), closed],
    { finding: 'unknown-record-type' },
  ],
  [
    'unknown-record-type',
    'client',
    [
      web(begin(), encodeRecord({ type: 99, requestId: 1 }), params(), part('stdin')),
      backend(page(), finish()),
      closed,
    ],
    { finding: 'request-record-garbage' },
  ],
  [
    'no-begin-request',
    'server',
    [web(get()), backend(page(2), finish(2)), end('server', 'fin'), end('client', 'fin'), closed],
    { finding: 'wrong-request-id' },
  ],
  [
    'no-begin-request',
    'client',
    [web(get(), abort(5)), backend(page(), finish()), closed],
    { nothing: 'it is the connection’s: the request has nothing to do with it' },
  ],
  [
    'duplicate-begin-request',
    'client',
    [web(begin(), begin(), params(), part('stdin')), backend(page(), finish()), closed],
    { finding: 'request-record-garbage' },
  ],
  [
    'wrong-direction',
    'server',
    [web(get()), backend(part('stdin', 'x'), page(), finish()), closed],
    { finding: 'unknown-record-type' },
  ],
  [
    'wrong-direction',
    'server',
    [web(get()), backend(encodeGetValues(['X']), page(), finish()), closed],
    { finding: 'management-record-problems' },
  ],
  [
    'wrong-direction',
    'client',
    [web(get(), page()), backend(page(), finish()), closed],
    { finding: 'request-record-garbage' },
  ],
  [
    'after-end-of-stream',
    'server',
    [web(get()), backend(page(), part('stdout'), part('stdout', 'more'), finish()), closed],
    { finding: 'stdout-after-eof' },
  ],
  [
    'after-end-of-stream',
    'client',
    [web(get(), part('stdin', 'x')), backend(page(), finish()), closed],
    { finding: 'request-record-garbage' },
  ],
  [
    'after-end-request',
    'server',
    [web(get()), backend(page(), finish(), part('stderr', 'bye')), closed],
    // Of severity `note`: the connection ends with the request.
    { finding: 'records-after-end' },
  ],
  [
    'after-end-request',
    'server',
    [web(get(1, Role.RESPONDER, 1)), backend(page(), finish(), page()), closed],
    { finding: 'keepalive-desync' },
  ],
  [
    'after-end-request',
    'client',
    [web(begin(), params()), backend(page(), finish()), web(part('stdin')), closed],
    { nothing: 'Apache ends STDIN when it has the answer already' },
  ],
  [
    'data-before-params-end',
    'client',
    [web(begin(), part('stdin', 'x'), params(), part('stdin')), backend(page(), finish()), closed],
    { finding: 'request-record-garbage' },
  ],
  [
    'data-without-filter',
    'client',
    [web(get(), part('data', 'x')), backend(page(), finish()), closed],
    { finding: 'request-record-garbage' },
  ],
  [
    'null-request-id',
    'client',
    [web(get(0)), backend(page(0), finish(0)), closed],
    { finding: 'request-record-garbage' },
  ],
  [
    'null-request-id',
    'server',
    [web(get()), backend(page(0), finish(0)), end('server', 'fin'), end('client', 'fin'), closed],
    { finding: 'wrong-request-id' },
  ],
  [
    'management-with-request-id',
    'server',
    [
      web(get()),
      backend(encodeRecord({ type: 11, requestId: 1, content: new Uint8Array(8) }), page(), finish()),
      closed,
    ],
    { finding: 'management-record-problems' },
  ],
  [
    'values-unanswered',
    'client',
    [web(encodeGetValues(['FCGI_MPXS_CONNS'])), end('client', 'reset'), closed],
    { finding: 'management-record-problems' },
  ],
  [
    'params-cut',
    'client',
    [web(begin(), part('params', '\x05\x05abc'), part('params'), part('stdin')), backend(page(), finish()), closed],
    { finding: 'request-record-garbage' },
  ],
  [
    'params-length-absurd',
    'client',
    [
      web(
        begin(),
        encodeRecord({ type: 4, requestId: 1, content: new Uint8Array(8).fill(0xff) }),
        part('params'),
        part('stdin'),
      ),
      backend(page(), finish()),
      closed,
    ],
    { finding: 'cve-2025-23016' },
  ],
  [
    'params-too-large',
    'client',
    [web(begin(), ...hugeParams(), part('params'), part('stdin')), backend(page(), finish()), closed],
    { nothing: 'it is our own limit; those of web servers and backends are lower, and tell themselves' },
  ],
];

/** Those that no steps bring about here. */
const UNPLAYED: Readonly<Partial<Record<ProblemCode, string>>> = {
  'midstream-start': 'the capture began in the middle: nothing is wrong with the traffic',
  'met-late': 'the capture misses something, not the traffic',
};

describe('each problem of the protocol', () => {
  it.each(FATES)('%s of the %s', (code, side, steps, fate) => {
    const exchange = play(steps).exchanges[0]!;
    if (code !== 'no-begin-request' || side === 'server') {
      expect(exchange.problems.map((one) => `${one.code} ${one.side}`)).toContain(`${code} ${side}`);
    }
    const found = diagnose(exchange).map(({ id }) => id);
    if ('finding' in fate) expect(found[0]).toBe(fate.finding);
    else expect(found.filter((id) => PROTOCOL_IDS.has(id))).toEqual([]);
  });

  it('has its place in the table', () => {
    const codes: Record<ProblemCode, true> = ALL_CODES;
    const told = new Set<string>([...FATES.map(([code]) => code), ...Object.keys(UNPLAYED)]);
    expect(Object.keys(codes).filter((code) => !told.has(code))).toEqual([]);
  });

  it('leads to findings that exist', () => {
    for (const [, , , fate] of FATES) if ('finding' in fate) expect(RULES.map(({ id }) => id)).toContain(fate.finding);
  });
});

const PROTOCOL_IDS = new Set(
  RULES.filter(({ id }) => CASES.some(([mine]) => mine === id) || id === 'request-record-garbage').map(({ id }) => id),
);

/** Complete by its type. */
const ALL_CODES: Record<ProblemCode, true> = {
  'bad-version': true,
  'lost-framing': true,
  'foreign-protocol': true,
  'midstream-start': true,
  'truncated-record': true,
  'capture-gap': true,
  'reserved-not-zero': true,
  'bad-body-length': true,
  'unknown-record-type': true,
  'no-begin-request': true,
  'duplicate-begin-request': true,
  'wrong-direction': true,
  'after-end-of-stream': true,
  'after-end-request': true,
  'data-before-params-end': true,
  'data-without-filter': true,
  'null-request-id': true,
  'management-with-request-id': true,
  'values-unanswered': true,
  'stream-gap': true,
  'met-late': true,
  'params-cut': true,
  'params-length-absurd': true,
  'params-too-large': true,
};

function hugeParams(): Uint8Array[] {
  const name = '\x01\x00a'.repeat(20_000);
  return Array.from({ length: 20 }, () => part('params', name));
}

describe('lost bytes are nobody’s fault', () => {
  const later = [web(get(2)), backend(page(2), finish(2)), closed];

  it.each([
    ['over a header', [web(get()), backend(page()), gap('server', 100), backend(page(), page(), finish()), ...later]],
    ['over the end', [web(get()), backend(page()), gap('server', page().length + finish().length), ...later]],
    [
      'of the web server',
      [web(begin()), gap('client', 40), web(params(), part('stdin')), backend(page(), finish()), closed],
    ],
  ] as const)('%s', (_, steps) => {
    for (const exchange of play(steps).exchanges) expect(serious(exchange)).toEqual([]);
  });

  it('nor are those before the capture began', () => {
    const seen = play([backend(page().subarray(9), finish()), web(get()), backend(page(), finish()), closed], {
      midstream: true,
    });
    for (const exchange of seen.exchanges) expect(serious(exchange)).toEqual([]);
  });
});

describe('what the web server makes of it', () => {
  const of = (one: ReturnType<typeof problem>, software: string) =>
    findings(remarked(one, {}, { params: { SERVER_SOFTWARE: software } }))[0]!;

  it('decides how grave a version or a type is', () => {
    const version = problem('bad-version', 'the STDOUT record has version 2, not 1');
    expect(of(version, 'nginx/1.22.1')).toMatchObject({ severity: 'error' });
    expect(of(version, 'nginx/1.22.1').detail).toMatch(/nginx answers 502\.$/);
    expect(of(version, 'lighttpd/1.4.69')).toMatchObject({ severity: 'warning' });
    const type = problem('unknown-record-type', '99 is no record type of the specification');
    expect(of(type, 'HAProxy 2.6.12')).toMatchObject({ severity: 'warning' });
    expect(of(type, 'Caddy/2.6.2').detail).toContain('puts its content into the page');
  });

  it('lists all where it does not say who it is', () => {
    const [finding] = findings({ outcome: 'rejected', stdout: '', override: { protocolStatus: 'overloaded' } });
    expect(finding!.detail).toContain('nginx answers 502; lighttpd answers 500; Apache answers an empty 200');
  });
});

describe('refused requests', () => {
  it('that were answered all the same are no errors', () => {
    const seen = only(play([web(get()), backend(page(), finish(1, 0, 2)), closed]));
    expect(diagnose(seen)[0]).toMatchObject({ id: 'overloaded', severity: 'warning' });
  });

  it('for a role that does not exist may be refused by hanging up', () => {
    const seen = only(play([web(get(1, 9)), end('server', 'reset'), end('client', 'fin'), closed]));
    expect(diagnose(seen)[0]).toMatchObject({ id: 'unknown-role' });
    expect(diagnose(seen)[0]!.detail).toContain('role 9');
  });
});

describe('truncated-record', () => {
  const cut = problem('truncated-record', 'the stream ended 16 bytes into a STDOUT record of 8200');
  const closedIn: ExchangeOptions = remarked(
    cut,
    {},
    { outcome: 'backend-closed', params: { SERVER_SOFTWARE: 'lighttpd/1.4.69' } },
  );

  it('quotes what lighttpd logs', () => {
    expect(findings(closedIn)[0]!.detail).toContain('unexpected end-of-file');
  });

  it('leaves a worker that was ended for its time to the rules of dying', () => {
    const { exchange } = storedExchange(closedIn);
    const at = exchange.times.begin + 10_000_000;
    const connectionEnd = {
      endedBy: 'backend',
      how: 'fin',
      at,
      afterRecords: 5,
      afterRecord: 'STDOUT record 1',
    } as const;
    expect(diagnose({ ...exchange, connectionEnd })[0]!.id).not.toBe('truncated-record');
  });
});

describe('a foreign protocol', () => {
  it.each([
    [text('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), 'proxy_pass'],
    [Uint8Array.of(0x16, 3, 1, 0, 0x80, 1, 0, 0, 0x7c, 3, 3), 'TLS'],
    [text('70:CONTENT_LENGTH\x0056\0'), 'scgi_pass'],
    [text('PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n'), 'send-proxy'],
    [Uint8Array.of(0x12, 0x34, 0, 4, 2, 2, 0, 0, 0, 0), 'ajp://'],
  ])('gets the advice that fits it', (bytes, words) => {
    const [finding] = diagnose(only(play([web(bytes), end('server', 'reset'), closed])));
    expect(finding!.id).toBe('peer-speaks-not-fastcgi');
    expect(finding!.advice[0]).toContain(words);
  });

  it('on both sides is a port that is none', () => {
    const http = [web(text('GET / HTTP/1.1\r\nHost: a\r\n\r\n')), backend(text('HTTP/1.1 200 OK\r\n\r\n')), closed];
    expect(diagnose(only(play(http)))[0]!.advice[0]).toContain('Name the port');
  });

  it('needs no name: what cannot be a record from its first byte on is none', () => {
    const noise = Uint8Array.from({ length: 40 }, (_, i) => 200 + (i % 7));
    expect(diagnose(only(play([web(noise), closed])))[0]!.id).toBe('peer-speaks-not-fastcgi');
    expect(diagnose(only(play([web(get()), backend(noise), closed])))[0]!.id).toBe('backend-speaks-http');
  });
});
