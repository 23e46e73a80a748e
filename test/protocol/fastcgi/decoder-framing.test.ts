import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../src/model/bytes.js';
import { RecordDecoder } from '../../../src/protocol/fastcgi/decoder.js';
import {
  encodeBeginRequest,
  encodeEndRequest,
  encodeParams,
  encodeRecord,
  encodeStream,
} from '../../../src/protocol/fastcgi/encoder.js';
import { decode, type Options, problems, recorder, records } from './decoding.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const begin = encodeBeginRequest(1, 1);
const params = encodeParams(1, [['SCRIPT_NAME', '/index.php']]);
const stdin = encodeStream('stdin', 1, new Uint8Array(300).fill(0x61));
const request = concatBytes([begin, params, stdin]);
const server: Options = { side: 'server' };

/** Offsets of the records that came out. */
const offsets = (events: ReturnType<typeof decode>): number[] => records(events).map(({ offset }) => offset);
const message = (events: ReturnType<typeof decode>, which = 0): string => {
  const found = events.filter((event) => event.kind === 'problem')[which];
  return found?.kind === 'problem' ? found.message : '';
};
/** A copy with some bytes changed. */
const patched = (bytes: Uint8Array, at: number, ...values: number[]): Uint8Array => {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
};

describe('the version', () => {
  it('of another number throughout is remarked on, record for record, as PHP-FPM reads it', () => {
    const other = concatBytes([
      encodeRecord({ type: 1, requestId: 1, content: begin.slice(8), version: 2 }),
      encodeRecord({ type: 4, requestId: 1, content: params.slice(8, -8), version: 2 }),
      encodeRecord({ type: 4, requestId: 1, version: 2 }),
    ]);
    const events = decode(other);
    expect(offsets(events)).toEqual([0, 16, other.length - 8]);
    expect(problems(events)).toEqual([0, 16, other.length - 8].map((offset) => `bad-version ${offset}+8 remark`));
    expect(message(events)).toBe('the BEGIN_REQUEST record has version 2, not 1');
    expect(records(events)[0]).toMatchObject({ kind: 'begin-request', version: 2 });
  });

  it('of one record among good ones does no harm', () => {
    const events = decode(patched(request, begin.length, 9));
    expect(problems(events)).toEqual(['bad-version 16+8 remark']);
    expect(offsets(events)).toEqual(offsets(decode(request)));
  });

  it('is believed at once where it was confirmed before', () => {
    const { decoder, events } = recorder();
    const empty = encodeRecord({ type: 5, requestId: 1, version: 2 });
    decoder.push(empty, 0);
    expect(events).toEqual([]);
    decoder.push(empty, 0);
    expect(records(events)).toHaveLength(2);
    decoder.push(empty, 0);
    expect(records(events)).toHaveLength(3);
    expect(decoder.atBoundary).toBe(true);
  });

  it('is not believed when no record follows', () => {
    const wrong = encodeRecord({ type: 5, requestId: 1, content: text('abc'), version: 2 });
    expect(problems(decode(concatBytes([wrong, text('no record at all')])))).toEqual(['lost-framing 0+27']);
    expect(problems(decode(wrong.slice(0, -1)))).toEqual(['lost-framing 0+10']);
  });

  it('of a record that ends with what was captured is believed, also with a gap in it', () => {
    const wrong = encodeRecord({ type: 5, requestId: 1, content: text('abcdef'), version: 2 });
    expect(offsets(decode([wrong, 100]))).toEqual([0]);
    const events = decode([wrong.slice(0, 10), 3, concatBytes([wrong.slice(13), stdin])]);
    expect(records(events)[0]).toMatchObject({ version: 2, missing: 3, missingFrom: 2, bytes: text('abf') });
    expect(problems(decode([wrong.slice(0, 10), 5, stdin]))).toEqual(['capture-gap 10+5 remark', 'lost-framing 0+15']);
  });
});

describe('losing step', () => {
  it('is told once, with what was skipped and where it goes on', () => {
    const events = decode(concatBytes([begin, text('garbage of some length'), params, stdin]));
    expect(problems(events)).toEqual(['lost-framing 16+22']);
    expect(message(events)).toBe(
      '67 61 72 62 61 67 65 20 is no record header; 22 bytes belong to no record, and records begin again at offset 38',
    );
    expect(offsets(events).slice(0, 2)).toEqual([0, 38]);
  });

  it('for good is told at the end', () => {
    const events = decode(concatBytes([begin, text('garbage until the end')]));
    expect(problems(events)).toEqual(['lost-framing 16+21']);
    expect(message(events)).toMatch(
      /21 bytes belong to no record, and no further record was found until the stream ended$/,
    );
  });

  it.each([
    ['short', -1],
    ['long', 1],
  ])('a content length one byte too %s costs the records that it displaces, no more', (_, by) => {
    const at = begin.length;
    const events = decode(patched(request, at + 5, params[5]! + by));
    expect(records(events)[1]).toMatchObject({ kind: 'stream', stream: 'params', offset: at });
    expect(offsets(events).at(-1)).toBe(request.length - 8);
    const lost = problems(events);
    expect(lost).toHaveLength(1);
    expect(lost[0]).toMatch(/^lost-framing /);
    expect(offsets(events).length).toBeGreaterThanOrEqual(by < 0 ? 5 : 4);
  });

  it('is noticed with the header, not after the length that it announces', () => {
    const { decoder } = recorder();
    decoder.push(Uint8Array.of(0x55, 0x66, 0, 1, 0xff, 0xff, 0xff, 0x77), 0);
    decoder.push(concatBytes([request, request]), 0);
    expect(decoder.atBoundary).toBe(true);
  });

  it('a header with both an unknown type and a reserved byte is none', () => {
    expect(problems(decode(concatBytes([Uint8Array.of(1, 99, 0, 1, 0x10, 0, 0, 9), request])))).toEqual([
      'lost-framing 0+8',
    ]);
  });

  it('goes on only where two headers follow one another, or a record ends the stream', () => {
    const alone = encodeRecord({ type: 5, requestId: 1, content: text('abc') });
    expect(offsets(decode(concatBytes([text('garbage!'), alone])))).toEqual([8]);
    expect(offsets(decode(concatBytes([text('garbage!'), alone, text('?')])))).toEqual([]);
    expect(offsets(decode(concatBytes([text('garbage!'), alone, text('more of it')])))).toEqual([]);
    expect(offsets(decode([concatBytes([text('garbage!'), alone]), 10]))).toEqual([8]);
  });

  it.each([
    ['a type of the other side', { type: 6, requestId: 1 }],
    ['request id 0', { type: 5, requestId: 0 }],
    ['a management record with a request id', { type: 9, requestId: 1 }],
    ['a BEGIN_REQUEST of another length', { type: 1, requestId: 1, content: text('123') }],
    ['a reserved byte', { type: 5, requestId: 1, reserved: 1 }],
  ])('does not go on at %s', (_, fields) => {
    const odd = encodeRecord(fields);
    expect(offsets(decode(concatBytes([text('garbage!'), odd, stdin])))[0]).toBe(8 + odd.length);
  });

  it('passes over a lone header inside what is skipped', () => {
    const decoy = encodeRecord({ type: 5, requestId: 1, content: new Uint8Array(5_000).fill(0x62) });
    const events = decode(concatBytes([text('garbage!'), decoy.slice(0, 20), stdin, stdin]));
    expect(offsets(events)[0]).toBe(28);
    expect(problems(events)).toEqual(['foreign-protocol 0+28']);
  });
});

describe('a gap over a header', () => {
  it('is found out and left behind at the next record', () => {
    const response = concatBytes([
      encodeStream('stdout', 1, new Uint8Array(500).fill(0x61), { recordLength: 100 }),
      encodeEndRequest(1, 0, 0),
    ]);
    const events = decode([response.slice(0, 150), 100, response.slice(250)], server);
    // The second record ends at 216, the third one's header is gone: it goes on at the fourth.
    expect(offsets(events)).toEqual([0, 108, 324, 432, 540, 548]);
    expect(records(events)[1]).toMatchObject({ missing: 66, missingFrom: 34 });
    expect(problems(events)).toEqual(['capture-gap 150+100 remark', 'lost-framing 216+108']);
    expect(message(events, 1)).toMatch(/^a gap of 34 bytes goes over a record header; .* begin again at offset 324$/);
  });

  it('that ends where a record begins costs nothing but what it swallowed', () => {
    const events = decode([begin, params.length, stdin]);
    expect(offsets(events)[1]).toBe(begin.length + params.length);
    expect(problems(events)).toEqual([`capture-gap 16+${params.length} remark`, `lost-framing 16+${params.length}`]);
  });

  it('takes the part of the header that was seen with it', () => {
    const events = decode([request.slice(0, 19), params.length - 3, stdin]);
    expect(problems(events)[1]).toBe(`lost-framing 16+${params.length}`);
  });

  it('does not keep a large record from being found, though more of it is missing', () => {
    const large = encodeRecord({ type: 6, requestId: 1, content: new Uint8Array(60_000).fill(0x61) });
    const end = encodeEndRequest(1, 0, 0);
    // As of a capture with a snap length: the beginning of each segment, and gaps.
    const events = decode(
      [
        200,
        concatBytes([text('tail of a record'), large.slice(0, 80)]),
        40_000,
        large.slice(40_080, 40_160),
        19_848,
        end,
      ],
      server,
    );
    expect(offsets(events)).toEqual([216, 60_224]);
    expect(records(events)[0]).toMatchObject({ contentLength: 60_000, missing: 59_928, missingFrom: 72 });
  });
});

describe('a candidate before a gap that the gap leaves unconfirmed', () => {
  // The first one waits for the end of its 92 bytes behind the gap and fails there; the second must not be believed then.
  const first = Uint8Array.of(1, 5, 0, 1, 0, 92, 0, 0);
  const lead = concatBytes([text('garbage!'), first]);
  const rest = concatBytes([new Uint8Array(150).fill(0x2e), stdin]);

  it.each([
    ['ends in the gap', Uint8Array.of(1, 5, 0, 1, 0, 12, 0, 0), 28],
    ['ends where the gap begins', Uint8Array.of(1, 5, 0, 1, 0, 0, 0, 0), 28],
    ['is followed by half a header', Uint8Array.of(1, 5, 0, 1, 0, 0, 0, 0, 1, 5, 0, 1), 10],
  ])('because it %s', (_, second, missing) => {
    const before = concatBytes([lead, second]);
    const events = decode([before, missing, rest]);
    expect(offsets(events)).toEqual([before.length + missing + 150, before.length + missing + 150 + 308]);
  });
});

describe('the start in the middle of a connection', () => {
  const midstream: Options = { midstream: true };

  it('waits for the first record and tells what it skipped', () => {
    const events = decode(concatBytes([text('tail of STDIN'), stdin]), midstream);
    expect(problems(events)).toEqual(['midstream-start 0+13']);
    expect(offsets(events)[0]).toBe(13);
    expect(message(events)).toMatch(/^the capture began in the middle of the connection; 13 bytes belong to no record/);
  });

  it('right at a record is no problem', () => {
    expect(problems(decode(request, midstream))).toEqual([]);
    expect(decode(request, midstream)).toEqual(decode(request));
  });

  it('without any record is told at the end; without any byte, not at all', () => {
    expect(problems(decode(text('<html>'), midstream))).toEqual(['midstream-start 0+6']);
    expect(decode([], midstream)).toEqual([]);
  });

  it('is stamped with the arrival of the first byte', () => {
    const stamps: number[] = [];
    const decoder = new RecordDecoder('client', ({ at }) => stamps.push(at), midstream);
    decoder.push(text('tail'), 7);
    decoder.push(stdin, 8);
    decoder.end(9);
    expect(stamps).toEqual([7, 8, 8]);
  });
});

describe('a foreign protocol at the start', () => {
  it('is called by its name', () => {
    const events = decode(text('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'));
    expect(problems(events)).toEqual(['foreign-protocol 0+35']);
    expect(message(events)).toMatch(
      /^the stream begins with an HTTP request \("GET \/ HT"\), not with a FastCGI record; /,
    );
  });

  it('a PROXY protocol header is skipped and the records behind it are read', () => {
    const proxy = text('PROXY TCP4 192.0.2.1 192.0.2.2 40000 9000\r\n');
    const events = decode(concatBytes([proxy, request]));
    expect(problems(events)).toEqual([`foreign-protocol 0+${proxy.length}`]);
    expect(records(events)).toHaveLength(5);
  });

  it('is recognised in fewer bytes than a header has', () => {
    expect(problems(decode(Uint8Array.of(0x15, 3, 3, 0, 2, 2, 40)))).toEqual(['foreign-protocol 0+7']);
    expect(problems(decode(Uint8Array.of(0x99, 3)))).toEqual(['lost-framing 0+2']);
    expect(message(decode(Uint8Array.of(0x99, 3)))).toBe('99 03 is no record header; the stream ended there');
  });

  it('is looked for nowhere else', () => {
    expect(problems(decode(concatBytes([begin, text('GET / HTTP/1.1\r\n\r\n')])))).toEqual(['lost-framing 16+18']);
    expect(problems(decode(text('GET / HTTP/1.1\r\n\r\n'), { offset: 100 }))).toEqual(['lost-framing 100+18']);
  });

  it('hostile bytes do not get into the message as they are', () => {
    expect(message(decode(Uint8Array.of(0x3c, 0x62, 0x1b, 0x5b, 0x32, 0x4a, 0x0d, 0x0a)))).not.toMatch(/[\0-\x1f]/);
  });
});
