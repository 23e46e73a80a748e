import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../src/model/bytes.js';
import { BODY_HEAD_KEPT, STDERR_KEPT, STREAM_NAMES } from '../../../src/model/exchange.js';
import { encodeParams, encodeRecord, encodeStream } from '../../../src/protocol/fastcgi/encoder.js';
import { PARAMS_KEPT } from '../../../src/protocol/fastcgi/params-reader.js';
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
  PAGE,
  page,
  params,
  part,
  play,
  text,
  web,
} from './conversation.js';

describe('the params of an exchange', () => {
  it('tell method, URL and script once they have ended', () => {
    const started = only(play([web(begin(), encodeParams(1, [['REQUEST_URI', '/x']], { close: false }))]));
    expect(started).toMatchObject({ paramsComplete: false, url: null });
    expect(only(play([web(begin(), params())]))).toMatchObject({
      method: 'GET',
      url: 'http://example.org/a?b=c',
      script: '/srv/a.php',
      paramsComplete: true,
    });
  });

  it('are read as far as they came when they never end', () => {
    const seen = play([web(begin(), encodeParams(1, [['REQUEST_METHOD', 'PUT']], { close: false })), closed]);
    expect(only(seen)).toMatchObject({ method: 'PUT', paramsComplete: false, problems: [] });
  });

  it('keep order, duplicates, line breaks and exact bytes', () => {
    const pairs = [
      ['B', 'two\nlines'],
      ['A', ''],
      ['B', Uint8Array.of(0xff)],
      ['', ''],
    ] as const;
    expect(only(play([web(begin(), encodeParams(1, pairs))])).params).toEqual([
      { name: 'B', value: 'two\nlines' },
      { name: 'A', value: '' },
      { name: 'B', value: '\ufffd', bytes: Uint8Array.of(0xff) },
      { name: '', value: '' },
    ]);
  });

  it('are never put together over a gap', () => {
    const bytes = encodeParams(1, [
      ['AAAA', 'bbbb'],
      ['CCCC', 'dddd'],
      ['EEEE', 'ffff'],
    ]);
    for (let from = 8; from < 37; from++) {
      const seen = play([
        web(begin(), bytes.subarray(0, from)),
        gap('client', 1),
        web(bytes.subarray(from + 1)),
        closed,
      ]);
      const whole = [
        { name: 'AAAA', value: 'bbbb' },
        { name: 'CCCC', value: 'dddd' },
        { name: 'EEEE', value: 'ffff' },
      ];
      expect(only(seen).params).toEqual(whole.slice(0, Math.floor((from - 8) / 10)));
      expect(only(seen)).toMatchObject({ paramsComplete: false, streams: { params: { missing: 1, bytes: 29 } } });
      expect(only(seen).problems.map(({ code }) => code)).toContain('stream-gap');
    }
  });

  it('are not read on after lost framing', () => {
    const seen = play([
      web(begin(), encodeParams(1, [['A', 'b']], { close: false })),
      gap('client', 30),
      web(encodeParams(1, [['C', 'd']]), part('stdin')),
      backend(finish()),
      closed,
    ]);
    expect(only(seen)).toMatchObject({ params: [{ name: 'A', value: 'b' }], paramsComplete: false });
    expect(only(seen).problems.map(({ code }) => code)).toEqual(['capture-gap', 'lost-framing', 'stream-gap']);
  });

  it('are bounded, the rest is only counted', () => {
    const record = encodeParams(1, [['A', 'v'.repeat(60_000)]], { close: false });
    const seen = play([web(begin()), ...Array.from({ length: 30 }, () => web(record)), web(part('params')), closed]);
    const { params: kept, paramsComplete, problems, streams } = only(seen);
    expect(kept).toHaveLength(Math.floor(PARAMS_KEPT / (record.length - 8)));
    expect(paramsComplete).toBe(false);
    expect(problems.map(({ code }) => code)).toEqual(['params-too-large']);
    expect(streams.params).toMatchObject({ bytes: 30 * (record.length - 8), ended: true });
  });
});

describe('the response of an exchange', () => {
  it('is null until there is one', () => {
    expect(only(play([web(get())])).response).toBeNull();
    expect(only(play([web(get()), backend(part('stdout', 'Status: 2'))])).response).toBeNull();
    expect(only(play([web(get()), backend(part('stdout', 'A: b\n\n'))])).response).toMatchObject({ status: 200 });
  });

  it('has the same head and body however STDOUT is cut into records', () => {
    const body = 'x'.repeat(100);
    const content = text(PAGE + body);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: content.length }), (recordLength) => {
        const seen = play([web(get()), backend(encodeStream('stdout', 1, content, { recordLength }), finish())]);
        expect(only(seen).response).toMatchObject({ status: 404, reason: 'Not Found', length: 51, complete: true });
        expect(only(seen).bodyHead).toEqual(content.subarray(51, 51 + BODY_HEAD_KEPT));
      }),
    );
  });

  it('is an authorizer’s as well', () => {
    const seen = play([web(get(1, 2)), backend(part('stdout', 'Status: 403 No\n\n'), finish())]);
    expect(only(seen).response).toMatchObject({ status: 403 });
  });

  it('is incomplete where STDOUT ends before the blank line', () => {
    for (const last of [part('stdout'), finish()]) {
      const seen = play([web(get()), backend(part('stdout', 'Status: 200 OK\n'), last), end('server', 'fin'), closed]);
      expect(only(seen)).toMatchObject({ response: { complete: false, status: null }, bodyHead: new Uint8Array(0) });
    }
  });

  it('is not read over a gap, neither head nor body', () => {
    const bytes = page();
    const inHead = play([
      web(get()),
      backend(bytes.subarray(0, 20)),
      gap('server', 3),
      backend(bytes.subarray(23), finish()),
    ]);
    expect(only(inHead)).toMatchObject({
      response: { complete: false },
      streams: { stdout: { missing: 3, bytes: 60 } },
    });
    const inBody = play([
      web(get()),
      backend(bytes.subarray(0, 61)),
      gap('server', 3),
      backend(bytes.subarray(64), finish()),
    ]);
    expect(only(inBody)).toMatchObject({ response: { complete: true, status: 404 }, bodyHead: text('no') });
    expect(only(inBody).records.gaps).toBe(1);
  });

  it('with its header seen and its 65 528 bytes not, is counted as missing', () => {
    const record = encodeRecord({ type: 6, requestId: 1, content: new Uint8Array(65_528) });
    const seen = play([web(get()), backend(record.subarray(0, 8)), gap('server', 65_528), backend(finish())]);
    expect(only(seen)).toMatchObject({
      outcome: 'completed',
      response: null,
      streams: { stdout: { bytes: 0, missing: 65_528, records: 1 } },
    });
  });

  it('may be followed by more STDOUT after its end, which is counted and not read', () => {
    const seen = play([web(get()), backend(page(), part('stdout'), page(), finish())]);
    expect(only(seen)).toMatchObject({
      bodyHead: text('no such page'),
      streams: { stdout: { bytes: 126, records: 3 } },
    });
  });
});

describe('the streams of an exchange', () => {
  it('count content without headers and padding', () => {
    const padded = encodeStream('stdin', 1, new Uint8Array(1001), { recordLength: 500, alignment: 8 });
    const seen = play([web(begin(1, 3), params(), padded, part('data', 'abc')), backend(part('stderr', 'e'))]);
    expect(only(seen).streams).toEqual({
      params: { bytes: 87, records: 2, ended: true, missing: 0 },
      stdin: { bytes: 1001, records: 4, ended: true, missing: 0 },
      stdout: { bytes: 0, records: 0, ended: false, missing: 0 },
      stderr: { bytes: 1, records: 1, ended: false, missing: 0 },
      data: { bytes: 3, records: 1, ended: false, missing: 0 },
    });
  });

  it('of one exchange are not those of another', () => {
    const seen = play([web(get(1), get(2)), backend(page(1))]);
    expect(seen.exchanges.map(({ streams }) => streams.stdout.bytes)).toEqual([63, 0]);
    expect(STREAM_NAMES.map((name) => seen.exchanges[1]!.streams[name].bytes)).toEqual([87, 0, 0, 0, 0]);
  });

  it('keep the beginning of STDERR, whatever the records', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9000 }), { maxLength: 12 }), (lengths) => {
        const parts = lengths.map((length, i) => new Uint8Array(length).fill(i + 1));
        const records = parts.map((content) => encodeStream('stderr', 1, content, { close: false }));
        const { stderrHead } = only(play([web(get()), backend(...records, finish())]));
        const whole = concatBytes(parts).subarray(0, STDERR_KEPT);
        expect(Buffer.compare(stderrHead, whole)).toBe(0);
        expect(stderrHead.buffer.byteLength).toBe(stderrHead.length);
      }),
    );
  });
});

describe('the times of an exchange', () => {
  it('are those of the records’ first bytes', () => {
    const seen = play([
      web(begin()),
      web(params().subarray(0, 20)),
      web(params().subarray(20)),
      web(part('stdin', 'x')),
      web(part('stdin')),
      backend(page().subarray(0, 5)),
      backend(page().subarray(5), part('stderr', 'x')),
      backend(page()),
      backend(part('stdout')),
      backend(finish()),
    ]);
    expect(only(seen).times).toEqual({
      begin: 1000,
      paramsEnd: 3000,
      stdinEnd: 5000,
      firstStdout: 6000,
      lastStdout: 8000,
      lastRecord: 10_000,
      end: 10_000,
    });
  });

  it('know when the silence began that the web server ended', () => {
    const aborted = (...rest: Parameters<typeof play>[0]) =>
      only(play([web(get()), web(part('stdin')), web(abort()), ...rest])).times.lastRecord;
    expect(aborted(end('client', 'fin'))).toBe(2000);
    expect(aborted(end('client', 'fin'), backend(page(), finish()))).toBe(2000);
    expect(aborted(backend(page(), finish()))).toBe(4000);
  });

  it('of STDOUT are of its content, not of its end', () => {
    expect(only(play([web(get()), backend(part('stdout'), finish())])).times).toMatchObject({
      firstStdout: null,
      lastStdout: null,
    });
  });
});
