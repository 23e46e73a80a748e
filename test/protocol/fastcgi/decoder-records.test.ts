import { describe, expect, it } from 'vitest';
import { concatBytes, NO_BYTES } from '../../../src/model/bytes.js';
import type { StreamName } from '../../../src/model/exchange.js';
import { STREAM_TYPES } from '../../../src/protocol/fastcgi/constants.js';
import { encodeRecord } from '../../../src/protocol/fastcgi/encoder.js';
import { decode, problems, records } from './decoding.js';

/** Hexadecimal, blanks between. */
const hex = (text: string): Uint8Array =>
  Uint8Array.from(text.trim().split(/\s+/), (byte) => Number.parseInt(byte, 16));
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

const common = { requestId: 1, offset: 0, version: 1, paddingLength: 0, missing: 0 };

describe('each type of record', () => {
  it('BEGIN_REQUEST: role and flags', () => {
    expect(decode(hex('01 01 00 01 00 08 00 00  00 02 01 00 00 00 00 00'))).toEqual([
      {
        kind: 'begin-request',
        ...common,
        contentLength: 8,
        missingFrom: 8,
        role: 2,
        flags: 1,
        bytes: hex('00 02 01 00 00 00 00 00'),
      },
    ]);
  });

  it('ABORT_REQUEST', () => {
    expect(decode(hex('01 02 00 01 00 00 00 00'))).toEqual([
      { kind: 'abort-request', ...common, contentLength: 0, missingFrom: 0, bytes: NO_BYTES },
    ]);
  });

  it('END_REQUEST: an app status of all 32 bits, unsigned', () => {
    expect(decode(hex('01 03 00 01 00 08 00 00  de ad be ef 02 00 00 00'), { side: 'server' })).toEqual([
      {
        kind: 'end-request',
        ...common,
        contentLength: 8,
        missingFrom: 8,
        appStatus: 0xdeadbeef,
        protocolStatus: 2,
        bytes: hex('de ad be ef 02 00 00 00'),
      },
    ]);
  });

  it.each(Object.keys(STREAM_TYPES) as StreamName[])('the stream %s, and its end', (stream) => {
    const type = STREAM_TYPES[stream];
    const bytes = concatBytes([
      encodeRecord({ type, requestId: 1, content: text('abc') }),
      encodeRecord({ type, requestId: 1 }),
    ]);
    expect(decode(bytes)).toEqual([
      { kind: 'stream', ...common, contentLength: 3, missingFrom: 3, stream, bytes: text('abc') },
      { kind: 'stream', ...common, offset: 11, contentLength: 0, missingFrom: 0, stream, bytes: NO_BYTES },
    ]);
  });

  it.each([
    [9, 'get-values', ''],
    [10, 'get-values-result', ''],
    [11, 'unknown-type', 'ff 00 00 00 00 00 00 00'],
  ])('management type %i, %s', (code, type, body) => {
    const content = body === '' ? NO_BYTES : hex(body);
    expect(decode(encodeRecord({ type: code, requestId: 0, content }))).toEqual([
      {
        kind: 'management',
        ...common,
        requestId: 0,
        contentLength: content.length,
        missingFrom: content.length,
        type,
        bytes: content,
      },
    ]);
  });

  it('a second empty GET_VALUES_RESULT', () => {
    const empty = encodeRecord({ type: 10, requestId: 0 });
    expect(records(decode(concatBytes([empty, empty]))).map(({ kind }) => kind)).toEqual(['management', 'management']);
  });

  it('an unknown type, 255 with id 65535', () => {
    const events = decode(encodeRecord({ type: 255, requestId: 0xffff, content: text('?') }));
    expect(problems(events)).toEqual(['unknown-record-type 0+8 remark']);
    expect(events[1]).toEqual({
      kind: 'unrecognised',
      ...common,
      requestId: 0xffff,
      contentLength: 1,
      missingFrom: 1,
      type: 255,
      bytes: text('?'),
    });
  });
});

describe('odd but readable records', () => {
  it('padding anywhere: on BEGIN_REQUEST, on an empty STDIN, behind 65 535 bytes', () => {
    const full = new Uint8Array(65_535).fill(0x62);
    const events = decode(
      concatBytes([
        encodeRecord({ type: 1, requestId: 1, content: hex('00 01 00 00 00 00 00 00'), padding: 7 }),
        encodeRecord({ type: 5, requestId: 1, padding: 8 }),
        encodeRecord({ type: 5, requestId: 1, content: full, padding: 255 }),
      ]),
      {},
      [30, 65_000],
    );
    expect(problems(events)).toEqual([]);
    expect(records(events).map(({ offset, paddingLength }) => [offset, paddingLength])).toEqual([
      [0, 7],
      [23, 8],
      [39, 255],
    ]);
    expect(records(events)[2]!.bytes).toEqual(full);
  });

  it('a reserved byte that is not zero is remarked on', () => {
    const events = decode(encodeRecord({ type: 5, requestId: 1, content: text('x'), reserved: 7 }));
    expect(problems(events)).toEqual(['reserved-not-zero 0+8 remark']);
    expect(records(events)).toHaveLength(1);
  });

  it('bodies of a wrong length are remarked on and read as far as they go', () => {
    const events = decode(
      concatBytes([
        encodeRecord({ type: 1, requestId: 1, content: hex('00 03 01') }),
        encodeRecord({ type: 1, requestId: 1, content: hex('00 03') }),
        encodeRecord({ type: 3, requestId: 1, content: hex('00 00 00 05 03 00 00 00 00') }),
        encodeRecord({ type: 3, requestId: 1, content: hex('00 00 00 05') }),
        encodeRecord({ type: 2, requestId: 1, content: hex('00') }),
      ]),
    );
    expect(problems(events)).toEqual([0, 11, 21, 38, 50].map((offset) => `bad-body-length ${offset}+8 remark`));
    expect(records(events)).toMatchObject([
      { kind: 'begin-request', role: 3, flags: 1 },
      { kind: 'unrecognised', type: 1, bytes: hex('00 03') },
      { kind: 'end-request', appStatus: 5, protocolStatus: 3 },
      { kind: 'unrecognised', type: 3, bytes: hex('00 00 00 05') },
      { kind: 'abort-request' },
    ]);
  });

  it('END_REQUEST split between header and body, and in every other place', () => {
    const end = hex('01 03 00 01 00 08 00 00  00 00 00 00 00 00 00 00');
    for (let cut = 0; cut <= end.length; cut++) expect(decode(end, {}, [cut])).toHaveLength(1);
  });

  it('records in the wrong direction are decoded: that is for the tracker to say', () => {
    const stdout = encodeRecord({ type: 6, requestId: 1, content: text('x') });
    expect(decode(stdout, { side: 'client' })).toMatchObject([{ kind: 'stream', stream: 'stdout' }]);
  });
});

describe('records that were not seen whole', () => {
  const stdout = encodeRecord({ type: 6, requestId: 1, content: text('0123456789'), padding: 6 });
  const next = encodeRecord({ type: 6, requestId: 1 });

  it('a gap in the content: the parts around it are joined', () => {
    const events = decode([stdout.slice(0, 11), 4, concatBytes([stdout.slice(15), next])], { side: 'server' });
    expect(problems(events)).toEqual(['capture-gap 11+4 remark']);
    expect(records(events)).toMatchObject([
      { contentLength: 10, missing: 4, missingFrom: 3, bytes: text('012789') },
      { offset: 24, contentLength: 0 },
    ]);
  });

  it('a gap over the end of the content and the padding, up to the next header', () => {
    const events = decode([stdout.slice(0, 14), 10, next], { side: 'server' });
    expect(records(events)).toMatchObject([{ missing: 4, missingFrom: 6, bytes: text('012345') }, { offset: 24 }]);
    expect(problems(events)).toEqual(['capture-gap 14+10 remark']);
  });

  it('a gap in the padding alone: nothing is missing', () => {
    const events = decode([stdout.slice(0, 19), 2, concatBytes([stdout.slice(21), next])], { side: 'server' });
    expect(records(events)).toMatchObject([{ missing: 0, missingFrom: 10, bytes: text('0123456789') }, { offset: 24 }]);
  });

  it('several gaps in one record count as one from the first to the last', () => {
    const events = decode([stdout.slice(0, 9), 2, stdout.slice(11, 13), 2, concatBytes([stdout.slice(15), next])], {
      side: 'server',
    });
    expect(problems(events)).toEqual(['capture-gap 9+2 remark', 'capture-gap 13+2 remark']);
    expect(records(events)).toMatchObject([{ missing: 6, missingFrom: 1, bytes: text('0789') }, { offset: 24 }]);
  });

  it('STDOUT whose header is captured and whose 65 528 bytes are not', () => {
    const large = encodeRecord({ type: 6, requestId: 1, content: new Uint8Array(65_528) });
    const events = decode([large.slice(0, 8), 65_528, next], { side: 'server' });
    expect(records(events)).toMatchObject([
      { contentLength: 65_528, missing: 65_528, missingFrom: 0, bytes: NO_BYTES },
      { offset: 65_536, contentLength: 0 },
    ]);
    expect(problems(events)).toEqual(['capture-gap 8+65528 remark']);
  });

  it('the stream ends in the content, in the padding, after the header', () => {
    expect(decode(stdout.slice(0, 12), { side: 'server' })).toMatchObject([
      { code: 'truncated-record', offset: 0, length: 12, remark: true },
      { kind: 'stream', contentLength: 10, missing: 6, missingFrom: 4, bytes: text('0123') },
    ]);
    expect(decode(stdout.slice(0, 19), { side: 'server' })).toMatchObject([
      { code: 'truncated-record', offset: 0, length: 19, remark: true },
      { kind: 'stream', missing: 0, missingFrom: 10, bytes: text('0123456789') },
    ]);
    expect(decode(stdout.slice(0, 8), { side: 'server' })).toMatchObject([
      { code: 'truncated-record' },
      { kind: 'stream', missing: 10, missingFrom: 0, bytes: NO_BYTES },
    ]);
  });

  it('the stream ends after a gap in the content', () => {
    expect(decode([stdout.slice(0, 10), 3, stdout.slice(13, 15)], { side: 'server' })).toMatchObject([
      { code: 'capture-gap' },
      { code: 'truncated-record', offset: 0, length: 15 },
      { kind: 'stream', missing: 8, missingFrom: 2, bytes: text('01') },
    ]);
  });

  it('the stream ends in a header: nothing but a problem', () => {
    const events = decode(concatBytes([next, stdout.slice(0, 5)]), { side: 'server' });
    expect(problems(events)).toEqual(['truncated-record 8+5']);
    expect(records(events)).toHaveLength(1);
  });

  it('a BEGIN_REQUEST whose role is missing cannot be read as one', () => {
    const begin = hex('01 01 00 01 00 08 00 00  00 01 00 00 00 00 00 00');
    expect(decode([begin.slice(0, 9), 2, begin.slice(11)])).toMatchObject([
      { code: 'capture-gap' },
      { kind: 'unrecognised', type: 1, missing: 2, missingFrom: 1 },
    ]);
    expect(decode([begin.slice(0, 11), 5])).toMatchObject([
      { code: 'capture-gap' },
      { kind: 'begin-request', role: 1, flags: 0, missing: 5, missingFrom: 3 },
    ]);
  });
});
