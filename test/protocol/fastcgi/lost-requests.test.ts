import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../src/model/bytes.js';
import { encodeRecord, encodeStream } from '../../../src/protocol/fastcgi/encoder.js';
import {
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
  type Seen,
  text,
  web,
} from './conversation.js';

const midstream = { midstream: true };
const kept = (id = 1): Uint8Array => get(id, 1, 1);
const codes = (seen: Seen): string[][] => seen.exchanges.map(({ problems }) => problems.map(({ code }) => code));
const told = (seen: Seen): unknown[] =>
  seen.exchanges.map(({ role, outcome, streams, appStatus }) => [role, outcome, streams.stdout.bytes, appStatus]);

describe('a request whose BEGIN_REQUEST was not captured', () => {
  it('is shown as soon as the backend answers, while the web server’s bytes are missing', () => {
    const seen = play([web(kept()), backend(page(), finish()), gap('client', 200), backend(page(), finish(1, 3))]);
    expect(told(seen)).toEqual([
      ['responder', 'completed', 63, 0],
      ['unknown', 'completed', 63, 3],
    ]);
    expect(seen.exchanges[1]!.problems.map(({ code, message }) => [code, message])).toEqual([
      ['no-begin-request', 'STDOUT for id 1, whose BEGIN_REQUEST was not seen'],
      ['capture-gap', '200 bytes of the stream were not captured'],
    ]);
  });

  it('is shown where only the backend was captured, each by itself', () => {
    const seen = play(
      [backend(page(), finish(1, 1), page(), finish(1, 2)), backend(page(3), finish(3, 3)), closed],
      midstream,
    );
    expect(told(seen)).toEqual([1, 2, 3].map((status) => ['unknown', 'completed', 63, status]));
  });

  it('gives way to the next BEGIN_REQUEST with its id, where only the web server was captured', () => {
    const seen = play([
      gap('client', 100),
      web(part('stdin', 'tail'), part('stdin')),
      web(kept()),
      web(kept()),
      closed,
    ]);
    expect(seen.exchanges.map(({ role, streams }) => [role, streams.stdin.bytes, streams.params.records])).toEqual([
      ['unknown', 4, 0],
      ['responder', 0, 2],
      ['responder', 0, 2],
    ]);
    expect(seen.exchanges[0]!.outcome).toBe('undecodable');
  });

  it('is nobody else’s, though a request with its id ended before', () => {
    const seen = play(
      [backend(page(), finish(1, 4)), web(part('stdin', 'whose?'), part('stdin', 'whose?')), closed],
      midstream,
    );
    expect(seen.exchanges.map(({ appStatus, streams }) => [appStatus, streams.stdin.bytes])).toEqual([
      [4, 0],
      [null, 12],
    ]);
  });

  it('is not thought of where nothing was lost', () => {
    const seen = play([web(kept()), backend(page(), finish(), page(9), finish(9)), closed]);
    expect(seen.exchanges).toHaveLength(1);
    expect(seen.summary.problems).toBe(2);
  });
});

describe('a gap behind which nothing more comes', () => {
  it('is of the request that ends then, and not of one that begins after it', () => {
    const seen = play([web(kept()), gap('client', 30), backend(page(), finish())]);
    expect(codes(seen)).toEqual([['capture-gap']]);
    expect(seen.exchanges[0]!.records.gaps).toBe(1);
    const later = play([
      web(kept()),
      backend(page(), finish()),
      gap('server', 30),
      web(kept()),
      gap('client', 30),
      closed,
    ]);
    expect(later.exchanges[1]!.problems.filter(({ side }) => side === 'server')).toEqual([]);
  });
});

describe('records for an id that may have been used again', () => {
  const second = [backend(part('stdout', 'new')), backend(finish(1, 2)), closed];

  it('are not the first request’s, when its end and the beginning of the next are lost', () => {
    const seen = play([web(kept()), backend(part('stdout', 'old')), gap('server', 100), gap('client', 100), ...second]);
    expect(told(seen)).toEqual([
      ['responder', 'undecodable', 3, null],
      ['unknown', 'completed', 3, 2],
    ]);
    expect(codes(seen)[1]).toEqual(['no-begin-request', 'capture-gap']);
    expect(seen.exchanges[1]!.problems[0]!.message).toBe(
      'STDOUT for id 1: the end of its request and the BEGIN_REQUEST of another may be lost',
    );
  });

  it.each([
    ['only the backend’s bytes are missing', [gap('server', 100)], kept()],
    ['only the web server’s are', [gap('client', 100)], kept()],
    ['the connection was not to be kept', [gap('server', 100), gap('client', 100)], get()],
    ['too little is missing of the backend’s', [backend(text('five!')), gap('client', 100)], kept()],
  ] as const)('are the first request’s, when %s', (_, losses, first) => {
    const seen = play([web(first), backend(part('stdout', 'old')), ...losses, ...second]);
    expect(told(seen)).toEqual([['responder', 'completed', 6, 2]]);
  });

  it('are none of a request that began after them', () => {
    // END_REQUEST of the first one waits for the header behind it, of which four bytes are there when the second one begins.
    const answer = concatBytes([finish(1, 7), part('stderr', 'more', 3)]);
    const first = [web(kept(3), kept()), backend(text('garbage at the start')), backend(answer.subarray(0, 20))];
    const seen = play([...first, web(kept()), backend(answer.subarray(20)), backend(page(), finish(1, 8)), closed]);
    expect(seen.exchanges.map(({ requestId, appStatus }) => [requestId, appStatus])).toEqual([
      [3, null],
      [1, null],
      [1, 8],
    ]);
    // With a third one: the late record is the first one's, which was given up, not the second's.
    const late = play([...first, web(kept()), web(kept()), backend(answer.subarray(20)), closed]);
    const owner = late.records.find(({ entry }) => entry.type === 'END_REQUEST')?.n;
    expect(owner).toBe(2);
    expect(late.exchanges[1]!.problems.at(-1)).toMatchObject({
      code: 'after-end-request',
      message: 'END_REQUEST for id 1 after it was given up',
    });
  });

  it('are not asked for, where the end of the first may be in what is no record', () => {
    const seen = play([web(kept()), backend(text('no record at all')), web(kept()), backend(page(), finish()), closed]);
    expect(seen.exchanges.map(({ outcome }) => outcome)).toEqual(['undecodable', 'completed']);
    expect(codes(seen)[1]).toEqual([]);
  });

  it('begin anew where both sides’ bytes are missing', () => {
    const seen = play([
      web(kept()),
      gap('server', 100),
      gap('client', 8),
      web(kept()),
      backend(page(), finish()),
      closed,
    ]);
    expect(seen.exchanges.map(({ role, outcome }) => [role, outcome])).toEqual([
      ['responder', 'undecodable'],
      ['responder', 'completed'],
    ]);
  });

  it('are of no request that a few lost bytes cannot have begun', () => {
    const few = [web(kept()), backend(finish()), web(text('five!'), kept(3), kept(5))];
    expect(play([...few, backend(page(9), finish(9)), closed]).exchanges).toHaveLength(3);
    // From its length on, this STDIN with padding looks like PARAMS of id 0x0041.
    const odd = encodeRecord({ type: 5, requestId: 1, content: text('A'), padding: 4 });
    const seen = play([web(begin(1, 1, 1), params()), gap('client', 1), web(odd.subarray(1), part('stdin')), closed]);
    expect(seen.records.map(({ entry }) => entry.requestId)).toEqual([1, 1, 1, 1]);
  });

  it('leave requests alone that began after the loss', () => {
    const seen = play([
      web(kept()),
      backend(page()),
      gap('server', 16),
      web(kept(3)),
      backend(page(3), finish(3)),
      closed,
    ]);
    expect(codes(seen)).toEqual([['capture-gap', 'lost-framing'], []]);
    expect(seen.exchanges[1]).toMatchObject({ outcome: 'completed', response: { status: 404, complete: true } });
  });
});

describe('a recording of FastCGI in a body', () => {
  const recording = concatBytes([get(), get(7), page(), finish(1, 66), page(7), finish(7, 77)]);
  const wrapped = (type: 'stdin' | 'stdout'): Uint8Array =>
    encodeStream(type, 1, concatBytes([text('pcap '.repeat(20)), recording, text(' pcap'.repeat(800))]), {
      close: false,
    });

  it('that is downloaded is not taken for records, though the framing is lost in it', () => {
    const body = wrapped('stdout');
    const after = concatBytes([part('stdout', 'the end'), finish(1, 5)]);
    const seen = play([web(kept()), backend(page()), gap('server', 20), backend(body.subarray(20), after), closed]);
    expect(only(seen)).toMatchObject({
      outcome: 'completed',
      appStatus: 5,
      streams: { stdout: { bytes: 70, records: 2 } },
    });
    expect(only(seen).problems.at(-1)!.message).toBe(
      `a gap of 20 bytes goes over a record header; ${body.length} bytes belong to no record, and records begin again at offset ${page().length + body.length}`,
    );
  });

  it('that breaks off after a long answer is not either', () => {
    const long = concatBytes([part('stdout', 'x'.repeat(3_000)), finish(1, 66)]);
    const body = encodeStream('stdout', 1, concatBytes([text('pcap '), long, text(' pcap'.repeat(20))]), {
      close: false,
    });
    const seen = play([
      web(kept()),
      gap('server', 8),
      backend(body.subarray(8)),
      backend(page(), finish(1, 5)),
      closed,
    ]);
    expect(only(seen)).toMatchObject({ appStatus: 5, streams: { stdout: { bytes: 63 } } });
  });

  it('that is uploaded is not either: the request that it is in has not ended', () => {
    const body = wrapped('stdin');
    const seen = play([
      web(begin(1, 1, 1), params()),
      gap('client', 20),
      web(body.subarray(20), part('stdin')),
      backend(page(), finish(1, 5)),
      closed,
    ]);
    expect(only(seen)).toMatchObject({
      outcome: 'completed',
      appStatus: 5,
      streams: { stdin: { ended: true, records: 1 } },
    });
  });

  it('that ends with the body is what could not be told apart, but for whose it is', () => {
    // The whole rest of the stream is a chain of records; only the id says that they are none.
    const body = encodeStream('stdout', 1, concatBytes([page(7), finish(7), page(7), finish(7)]), { close: false });
    const seen = play([web(kept()), gap('server', 8), backend(body.subarray(8)), backend(finish(1, 5)), closed]);
    expect(only(seen)).toMatchObject({ appStatus: 5, outcome: 'completed', streams: { stdout: { records: 0 } } });
  });
});

describe('another protocol', () => {
  const HTTP = text('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const ANSWER = text('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
  const latin1 = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value, 'latin1'));

  it.each([
    ['an HTTP request', HTTP],
    ['an SCGI request', latin1('70:CONTENT_LENGTH\x0027\0')],
    ['a uwsgi request', latin1('\0\x1a\x01\0\x0e\0REQUEST_METHOD')],
    ['an AJP packet', latin1('\x12\x34\x01\0\x02\x02\0\x08HTTP/1.1')],
    ['an HTTP/2 request', latin1('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')],
    ['a TLS record', latin1('\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03')],
  ])('%s is named, whoever sends it', (words, bytes) => {
    for (const [side, step] of [
      ['client', web(bytes)],
      ['server', backend(bytes)],
    ] as const) {
      const { problems, outcome } = only(play([step, end(side, 'fin'), closed]));
      expect(outcome).toBe('undecodable');
      expect(problems[0]).toMatchObject({ code: 'foreign-protocol', side, offset: 0, length: bytes.length });
      expect(problems[0]!.message).toContain(`begins with ${words} (`);
    }
  });

  it.each([
    ['an HTTP request', web(HTTP)],
    ['an HTTP response', backend(ANSWER)],
    ['a TLS record', web(latin1('\x17\x03\x03\0\x20'), latin1('\xaa'.repeat(32)))],
    ['an SCGI request', web(latin1('70:CONTENT_LENGTH\x0027\0'))],
  ])('%s is named where a capture begins with it', (words, step) => {
    const { problems } = only(play([step, closed], midstream));
    expect(problems.map(({ code }) => code)).toEqual(['foreign-protocol']);
    expect(problems[0]!.message).toContain(`the capture began in the middle of the connection, with ${words} ("`);
  });

  it('is not thought of where records follow, or where it may be the middle of a body', () => {
    const seen = play([web(HTTP, kept(), kept(3)), closed], midstream);
    expect(codes(seen)).toEqual([[], []]);
    expect(seen.summary.problems).toBe(1);
    expect(codes(play([backend(text('<html>no record')), closed], midstream))[0]).toEqual(['midstream-start']);
  });

  it('is FastCGI as well, when both are web servers: each record of the second is marked', () => {
    const seen = play([
      web(get()),
      backend(get(), part('stdin', 'x')),
      end('server', 'fin'),
      end('client', 'fin'),
      closed,
    ]);
    expect(codes(seen)).toEqual([Array.from({ length: 5 }, () => 'wrong-direction')]);
    expect(only(seen).problems[0]!.message).toBe('BEGIN_REQUEST sent by the backend');
    const alone = play([backend(get()), closed]);
    expect(only(alone).outcome).toBe('undecodable');
    expect(codes(alone)[0]).toContain('wrong-direction');
  });
});

describe('missing bytes', () => {
  it('in a body are counted where they are, and the framing goes on', () => {
    const body = part('stdout', 'abcdefghij'.repeat(10));
    const seen = play([
      web(kept()),
      backend(page(), body.subarray(0, 38)),
      gap('server', 25),
      backend(body.subarray(63), page(), finish()),
      closed,
    ]);
    expect(only(seen)).toMatchObject({
      outcome: 'completed',
      streams: { stdout: { bytes: 63 + 75 + 63, missing: 25, records: 3 } },
      records: { gaps: 1 },
    });
    const { entry, content } = seen.records.find(({ entry }) => entry.missing > 0)!;
    expect([entry.streamOffset, entry.contentLength, content.length]).toEqual([63, 100, 75]);
    expect(only(seen).problems.map(({ code, message }) => [code, message])).toEqual([
      ['capture-gap', '25 bytes of the stream were not captured'],
      ['stream-gap', '25 bytes of STDOUT are missing from its byte 93 on'],
    ]);
  });

  it('over the rest of a body and further records are told as both', () => {
    const body = part('stdout', 'abcdefghij'.repeat(10));
    const seen = play([
      web(kept()),
      backend(body.subarray(0, 38)),
      gap('server', 70 + body.length),
      backend(page(), finish()),
      closed,
    ]);
    expect(only(seen)).toMatchObject({
      outcome: 'completed',
      streams: { stdout: { bytes: 30 + 63, missing: 70, records: 2 } },
    });
    expect(only(seen).problems.map(({ code, offset, length }) => [code, offset, length])).toEqual([
      ['capture-gap', 38, 70 + body.length],
      ['stream-gap', 0, 108],
      ['lost-framing', 108, 108],
    ]);
  });
});
