import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../src/model/bytes.js';
import { RECOGNITION_WINDOW, type Recognition, type StreamStart } from '../../../src/model/recognition.js';
import {
  encodeBeginRequest,
  encodeEndRequest,
  encodeGetValues,
  encodeGetValuesResult,
  encodeRecord,
  encodeStream,
} from '../../../src/protocol/fastcgi/encoder.js';
import { recogniseFastcgi } from '../../../src/protocol/fastcgi/recogniser.js';
import { begin, finish, get, page, params, part, text } from './conversation.js';

const latin1 = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value, 'latin1'));

function start(bytes: Uint8Array): StreamStart {
  return { bytes, fromStart: true, complete: false };
}

/** As a capture has it that joined in the middle and holds no more. */
function middle(bytes: Uint8Array): StreamStart {
  return { bytes: bytes.subarray(0, RECOGNITION_WINDOW), fromStart: false, complete: true };
}

const whole = (stream: StreamStart): StreamStart => ({ ...stream, complete: true });
const SILENT: StreamStart = { bytes: new Uint8Array(0), fromStart: true, complete: false };
const UNHEARD: StreamStart = { ...SILENT, fromStart: false, complete: true };

/** What is said of both orders of the two, which must be the same but for who is who. */
function told(client: StreamStart, server: StreamStart): 'FastCGI' | 'undecided' | `not: ${string}` {
  const [one, other] = [recogniseFastcgi(client, server), recogniseFastcgi(server, client)];
  if (one.kind === 'recognised') {
    expect([one, other]).toEqual([
      { kind: 'recognised', client: 0 },
      { kind: 'recognised', client: 1 },
    ]);
    return 'FastCGI';
  }
  expect(other).toEqual(one);
  return one.kind === 'foreign' ? `not: ${one.protocol}` : 'undecided';
}

/** Sure never to be taken for FastCGI, from the start and from the middle, with or without an end, alone or with an answer. */
function neverFastcgi(bytes: Uint8Array): void {
  const cut = bytes.subarray(0, RECOGNITION_WINDOW);
  for (const fromStart of [true, false]) {
    for (const complete of [true, false]) {
      const stream = { bytes: cut, fromStart, complete };
      for (const other of [SILENT, UNHEARD, stream]) {
        const verdict: Recognition = recogniseFastcgi(stream, other);
        if (verdict.kind === 'recognised')
          throw new Error(`${fromStart}, ${complete}: ${Buffer.from(cut).toString('hex')}`);
      }
    }
  }
}

const fill = (length: number, byte = 0x61): Uint8Array => new Uint8Array(length).fill(byte);

describe('a connection seen from its start', () => {
  it('is decided by sixteen bytes', () => {
    for (const id of [1, 2, 255, 256, 0xffff]) {
      const bytes = encodeBeginRequest(id, 1, id % 2);
      for (let length = 0; length < 16; length++) {
        expect(told(start(bytes.subarray(0, length)), SILENT)).toBe('undecided');
      }
      expect(told(start(bytes), SILENT)).toBe('FastCGI');
    }
  });

  it('is decided by the first record of the web server, whatever it is', () => {
    expect(told(start(encodeGetValues(['FCGI_MAX_REQS', 'FCGI_MPXS_CONNS'])), SILENT)).toBe('FastCGI');
    expect(told(start(encodeRecord({ type: 1, requestId: 9, content: begin().subarray(8), padding: 5 })), SILENT)).toBe(
      'FastCGI',
    );
    // A role that there is not, of a version that there is not: more is asked for.
    const odd = concatBytes([
      encodeRecord({ type: 1, requestId: 1, content: Uint8Array.of(0, 9, 0, 0, 0, 0, 0, 0) }),
      params(),
    ]);
    expect(told(start(odd.subarray(0, 16)), SILENT)).toBe('undecided');
    expect(told(start(odd), SILENT)).toBe('FastCGI');
    const other = get().slice();
    for (const at of [0, 16, 16 + params().length - 8, 16 + params().length]) other[at] = 2;
    expect(told(start(other.subarray(0, 16)), SILENT)).toBe('undecided');
    expect(told(start(other), SILENT)).toBe('FastCGI');
  });

  it('is decided by the backend alone, where only its direction is there', () => {
    expect(told(UNHEARD, start(concatBytes([page(), finish()])))).toBe('FastCGI');
    expect(told(UNHEARD, start(finish()))).toBe('FastCGI');
    expect(told(SILENT, start(encodeGetValuesResult([['FCGI_MPXS_CONNS', '0']])))).toBe('FastCGI');
    expect(told(SILENT, start(page()))).toBe('undecided');
    expect(told(UNHEARD, whole(start(page())))).toBe('FastCGI');
    expect(told(UNHEARD, whole(start(page().subarray(0, 40))))).toBe('not: null');
  });

  it('is so too where the framing is lost later on', () => {
    const short = params();
    short[5] = short[5]! - 1;
    expect(told(start(concatBytes([begin(), short, part('stdin')])), SILENT)).toBe('FastCGI');
  });

  it('is so too where the backend answers with something else', () => {
    expect(told(start(get()), start(text('HTTP/1.1 400 Bad Request\r\n\r\n')))).toBe('FastCGI');
    expect(told(start(begin().subarray(0, 10)), start(text('PHP Warning: Module')))).toBe('undecided');
    expect(told(start(begin()), start(text('PHP Warning: Module')))).toBe('FastCGI');
  });

  it.each([
    ['PROXY TCP4 192.0.2.1 192.0.2.2 40000 9000\r\n'],
    [`\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c${'\0'.repeat(12)}`],
  ])('may begin with %j', (header) => {
    const bytes = concatBytes([latin1(header), get()]);
    for (let length = 0; length < header.length + 16; length++) {
      expect(told(start(bytes.subarray(0, length)), SILENT)).toBe('undecided');
    }
    expect(told(start(bytes), SILENT)).toBe('FastCGI');
    expect(told(start(concatBytes([latin1(header), text('GET / HTTP/1.1\r\n')])), SILENT)).toBe('not: PROXY protocol');
  });

  it('of two web servers is that of the first', () => {
    expect(recogniseFastcgi(start(get()), start(get()))).toEqual({ kind: 'recognised', client: 0 });
  });
});

/** A kept connection of nginx and PHP-FPM: a GET, an upload, a page with STDERR, a large download. */
const KEPT = {
  client: concatBytes([
    get(1, 1, 1),
    begin(1, 1, 1),
    params(),
    encodeStream('stdin', 1, fill(20_000), { recordLength: 8_192, alignment: 8 }),
    get(1, 1, 1),
  ]),
  server: concatBytes([
    page(),
    finish(),
    part('stderr', 'PHP Warning:  Undefined variable $a'),
    page(),
    finish(),
    encodeStream('stdout', 1, fill(20_000), { recordLength: 8_184, alignment: 8, close: false }),
    finish(),
  ]),
};
/** HAProxy's, multiplexed after GET_VALUES. */
const MULTIPLEXED = {
  client: concatBytes([
    encodeGetValues(['FCGI_MAX_REQS', 'FCGI_MPXS_CONNS']),
    ...[1, 3, 5, 7].map((id) => concatBytes([begin(id, 1, 1), params(id)])),
    ...[5, 1, 7, 3].map((id) => part('stdin', '', id)),
    get(9, 1, 1),
  ]),
  server: concatBytes([
    encodeGetValuesResult([['FCGI_MPXS_CONNS', '1']]),
    ...[3, 1, 7, 5].map((id) => page(id)),
    ...[5, 1, 3, 7].map((id) => concatBytes([part('stdout', 'more', id), part('stdout', '', id), finish(id)])),
    page(9),
    finish(9),
  ]),
};

describe('a connection joined in the middle', () => {
  /** A direction tells by itself while so many of its bytes are there (all but the last two records of the conversation or so). */
  it.each([
    ['a kept connection, the web server', KEPT.client, 'client', 24],
    ['a kept connection, the backend', KEPT.server, 'server', 16],
    ['a multiplexed one, the web server', MULTIPLEXED.client, 'client', 24],
    ['a multiplexed one, the backend', MULTIPLEXED.server, 'server', 16],
  ] as const)('is recognised from any byte on, and in one direction: %s', (_, bytes, side, least) => {
    for (let from = 0; from + least <= bytes.length; from++) {
      // Within long contents all places are alike.
      if (from % 97 !== 0 && bytes[from] === 0x61 && bytes[from + 16] === 0x61) continue;
      const stream = middle(bytes.subarray(from));
      const verdict = side === 'client' ? told(stream, UNHEARD) : told(UNHEARD, stream);
      if (verdict !== 'FastCGI') throw new Error(`${verdict} from ${from} of ${bytes.length}`);
    }
  });

  it('is recognised from any byte on in both directions, as soon as records follow', () => {
    for (const { client, server } of [KEPT, MULTIPLEXED]) {
      for (let i = 0; i < 200; i++) {
        const [up, down] = [(i * 131) % (client.length - 120), (i * 57) % (server.length - 100)];
        const streams = [client.subarray(up), server.subarray(down)].map((bytes) => ({
          ...middle(bytes),
          complete: false,
        }));
        expect(told(streams[0]!, streams[1]!)).toBe('FastCGI');
      }
    }
  });

  it.each([8_184, 32_768, 65_528, 65_535])('in a body of records of %i bytes', (recordLength) => {
    const body = encodeStream('stdout', 1, fill(1_000_000), { recordLength, alignment: 8, close: false });
    for (const from of [1, 7, 8, 9, 4_000, recordLength - 4_096, recordLength - 1]) {
      expect(told(UNHEARD, middle(body.subarray(from)))).toBe('FastCGI');
    }
    const upload = encodeStream('stdin', 300, fill(1_000_000), { recordLength });
    expect(told(middle(upload.subarray(9)), { ...UNHEARD })).toBe(recordLength < 60_000 ? 'FastCGI' : 'not: null');
    expect(told(middle(upload.subarray(9)), { ...UNHEARD, complete: false })).toBe(
      recordLength < 60_000 ? 'FastCGI' : 'undecided',
    );
  });

  it('adds up what both directions say', () => {
    const client = middle(part('stdin', 'the end of an upload'));
    const server = middle(part('stderr', 'oh'));
    expect(told(client, UNHEARD)).toBe('not: null');
    expect(told(UNHEARD, server)).toBe('not: null');
    expect(told(client, server)).toBe('FastCGI');
    expect(told(client, middle(part('stdin', 'the end of an upload')))).toBe('not: null');
  });

  it('is not told before a record’s length has passed, then it is', () => {
    const noise = fill(70_000, 0x2e);
    expect(told({ ...middle(noise.subarray(0, 65_000)), complete: false }, UNHEARD)).toBe('undecided');
    expect(told({ ...middle(noise), complete: false }, { ...UNHEARD, complete: false })).toBe('not: null');
  });

  it('a few bytes before a gap rule nothing out', () => {
    const live = { ...UNHEARD, complete: false };
    expect(told(middle(text('abc')), live)).toBe('undecided');
    expect(told(middle(text('abc')), middle(KEPT.server))).toBe('FastCGI');
  });
});

const REQUEST = 'POST /upload HTTP/1.1\r\nHost: example.org\r\nContent-Length: 4000\r\n\r\n';
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n';

describe('what is not FastCGI', () => {
  it.each([
    ['HTTP', text(REQUEST)],
    ['HTTP', text(ANSWER)],
    ['HTTP/2', text('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')],
    ['TLS', latin1('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03')],
    ['SSH', text('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n')],
    ['MySQL', latin1('\x4a\0\0\0\n8.0.36\0\x08\0\0\0')],
    ['Redis', text('*3\r\n$3\r\nSET\r\n')],
    ['PostgreSQL', latin1('\0\0\0\x54\0\x03\0\0user\0me\0')],
    ['SCGI', latin1('70:CONTENT_LENGTH\x0027\0')],
    ['uwsgi', latin1('\0\x1a\x01\0\x0e\0REQUEST_METHOD')],
    ['AJP', latin1('\x12\x34\x01\0\x02\x02\0\x08HTTP/1.1')],
    ['DNS', latin1('\0\x1d\x12\x34\x01\x20\0\x01\0\0\0\0')],
    ['SMTP or FTP', text('220 mail.example.org ESMTP\r\n')],
    ['null', latin1('\x05\x01\0\0\0\0\0\0')],
    ['null', latin1('\x01\x00\x00\xc8\x80\x00\x01\x01')],
  ])('%s is told by its first eight bytes', (name, bytes) => {
    expect(told(start(bytes.subarray(0, 7)), SILENT)).toBe('undecided');
    expect(told(start(bytes.subarray(0, 8)), SILENT)).toBe(`not: ${name}`);
    expect(told(SILENT, start(bytes.subarray(0, 8)))).toBe(`not: ${name}`);
    neverFastcgi(bytes);
  });

  it.each([
    ['HTTP', text(REQUEST)],
    ['HTTP', text(ANSWER)],
    ['TLS', latin1('\x17\x03\x03\x02\x00\x01\x00\x01\xfc\x03\x03')],
  ])('%s is told in the middle of a connection, at the beginning of a message', (name, bytes) => {
    expect(told({ ...middle(bytes), complete: false }, UNHEARD)).toBe(`not: ${name}`);
  });

  const period = (pattern: readonly number[], length = 70_000): Uint8Array =>
    Uint8Array.from({ length }, (_, i) => pattern[i % pattern.length]!);

  it.each([
    ['zeros', period([0])],
    ['ones', period([1])],
    ['0xff', period([0xff])],
    ['a table of empty STDIN headers', period([1, 5, 0, 1, 0, 0, 0, 0])],
    ['a table of empty STDOUT headers', period([1, 6, 0, 1, 0, 0, 0, 0])],
    ['a table of two kinds', period([1, 6, 0, 1, 0, 0, 0, 0, 1, 4, 0, 1, 0, 0, 0, 0])],
    ['32-bit counters', period([0, 0, 0, 1, 0, 0, 0, 6, 0, 1, 0, 0])],
    ['16-bit numbers, rising', Uint8Array.from({ length: 70_000 }, (_, i) => (i % 2 === 0 ? i >> 9 : i >> 1))],
    ['all bytes in turn', Uint8Array.from({ length: 70_000 }, (_, i) => i)],
    ['TIFF entries', period([1, 6, 0, 3, 0, 0, 0, 1, 0, 2, 0, 0, 1, 7, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0])],
    ['BEGIN_REQUEST, and then something else', concatBytes([begin(), period([0x2e])])],
    [
      'a whole request in a recording, and then something else',
      concatBytes([fill(100), get(), page(), finish(), period([0x2e])]),
    ],
  ])('%s', (_, bytes) => {
    for (let from = 0; from < 12; from++) {
      if (from === 0 && bytes[1] === 1 && bytes[5] === 8) continue;
      neverFastcgi(bytes.subarray(from));
    }
  });

  it.each([1, 0, 6])('HTTP bodies full of %i', (byte) => {
    neverFastcgi(concatBytes([text(REQUEST), fill(4_000, byte)]));
    neverFastcgi(concatBytes([text(ANSWER), fill(70_000, byte)]));
  });

  it('compressed bytes and pictures', () => {
    const words = Array.from({ length: 40_000 }, (_, i) => `${(i * 7919) % 1009} `).join('');
    const packed = new Uint8Array(gzipSync(words));
    const chunk = (name: string, body: Uint8Array): Uint8Array =>
      concatBytes([Uint8Array.of(0, 0, body.length >> 8, body.length & 255), latin1(name), body, fill(4, 7)]);
    const png = concatBytes([
      latin1('\x89PNG\r\n\x1a\n'),
      chunk('IHDR', Uint8Array.of(0, 0, 1, 0, 0, 0, 1, 0, 8, 6, 0, 0, 0)),
      chunk('IDAT', packed.subarray(0, 8_192)),
    ]);
    for (const body of [packed, png]) {
      neverFastcgi(body);
      neverFastcgi(concatBytes([text(ANSWER), body]));
    }
  });

  it('bytes as protocols like to have them', () => {
    const small = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(0, 0, 0, 1, 1, 2, 4, 5, 6, 8) },
      { weight: 1, arbitrary: fc.nat(255) },
    );
    const message = fc
      .tuple(fc.nat(11), fc.nat(3), fc.uint8Array({ maxLength: 40 }))
      .map(([type, version, body]) => concatBytes([Uint8Array.of(version, type, 0, body.length), body]));
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(small, { maxLength: 300 }).map((list) => Uint8Array.from(list)),
      fc.array(message, { maxLength: 12 }).map((list) => concatBytes(list)),
      fc.string({ maxLength: 300 }).map(text),
    );
    fc.assert(
      fc.property(bytes, (value) => neverFastcgi(value)),
      { numRuns: 10_000 },
    );
  });

  it('a great many random bytes', () => {
    // Only places that hold a version and a reserved byte are looked at: so these are put in, as if 2^16 times as many had been drawn.
    let state = 0x9e3779b9;
    const random = (): number => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state >>> 0;
    };
    const bytes = new Uint8Array(4_096);
    for (let run = 0; run < 2_000; run++) {
      const words = new Uint32Array(bytes.buffer);
      for (let i = 0; i < words.length; i++) words[i] = random();
      for (let i = 0; i < 32; i++) {
        const at = random() % (bytes.length - 8);
        bytes[at] = 1;
        bytes[at + 1] = random() % 12;
        bytes[at + 7] = 0;
      }
      neverFastcgi(bytes);
    }
  });

  it('is told by both streams once they are complete, whatever they are', () => {
    const any = fc.record({
      bytes: fc.uint8Array({ maxLength: 60 }),
      fromStart: fc.boolean(),
      complete: fc.constant(true),
    });
    fc.assert(
      fc.property(any, any, (one, other) => {
        expect(recogniseFastcgi(one, other).kind).not.toBe('undecided');
      }),
      { numRuns: 1_000 },
    );
  });

  it('headers without end do not keep it busy', () => {
    // Chains that break one after the other, each found out from each of its headers.
    const chain = Array.from({ length: 20 }, (_, i) => encodeRecord({ type: 5, requestId: 300 + i }));
    const bytes = concatBytes(Array.from({ length: 800 }, () => concatBytes([...chain, fill(8, 0xee)])));
    let steps = 0;
    const watched = new Proxy(bytes.subarray(0, RECOGNITION_WINDOW), {
      get: (target, key) => {
        steps += 1;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    expect(told(middle(watched), UNHEARD)).toBe('not: null');
    expect(steps).toBeLessThan(20_000_000);
  });

  it('END_REQUEST at the end of a stream joined in the middle is enough of the backend', () => {
    expect(told(UNHEARD, middle(concatBytes([fill(50), encodeEndRequest(1, 0, 0)])))).toBe('FastCGI');
  });
});
