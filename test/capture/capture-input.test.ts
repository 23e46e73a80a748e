import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CaptureInput, type CaptureInputOptions } from '../../src/capture/capture-input.js';
import { WARNINGS_LIMIT } from '../../src/capture/capture-warnings.js';
import { concatBytes } from '../../src/model/bytes.js';
import { originOf } from '../../src/packet/origin.js';
import type { Packet } from '../../src/packet/packet.js';
import {
  comment,
  describedInterface,
  enhancedPacket,
  packet,
  pcap,
  pcapng,
  section,
} from '../packet/formats/written-captures.js';

let folder: string;
const inputs: CaptureInput[] = [];
const warnings: string[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fcgi-inspect-capture-'));
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  warnings.length = 0;
  await Promise.all(inputs.splice(0).map((input) => input.close()));
});

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

async function open(path: string, options: CaptureInputOptions = {}): Promise<CaptureInput> {
  const input = await CaptureInput.open(path, { warn: (line) => warnings.push(line) }, options);
  inputs.push(input);
  return input;
}

interface Seen {
  readonly number: number;
  readonly length: number;
  readonly origin: number;
}

function seen({ at, start, end, origin }: Packet): Seen {
  return { number: Math.floor(at / 1e6) - 1_700_000_000, length: end - start, origin };
}

async function rest(input: CaptureInput): Promise<Seen[]> {
  const all: Seen[] = [];
  while (await input.next((each) => all.push(seen(each))));
  return all;
}

const numbers = (all: readonly Seen[]): number[] => all.map(({ number }) => number);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const capture = (count: number, length = 60): Uint8Array => pcap(upTo(count).map((i) => packet(i, length)));

/** As random as what compresses badly, so that much of it is in any part of the packed bytes. */
const bulky = (count: number): Uint8Array =>
  pcap(upTo(count).map((i) => ({ ...packet(i), bytes: Uint8Array.from(randomBytes(1000)) })));

describe('a file', () => {
  it('is read chunk by chunk, with its positions, progress and size', async () => {
    const bytes = capture(3000, 1000);
    const path = file('plain.pcap', bytes);
    const input = await open(path, { file: 3 });
    expect(input).toMatchObject({ format: 'pcap', isGzip: false, size: bytes.length, name: path });
    const first: Seen[] = [];
    expect(await input.next((each) => first.push(seen(each)))).toBe(true);
    expect(input.packets).toBe(first.length);
    expect(first.length).toBeLessThan(3000);
    const all = [...first, ...(await rest(input))];
    expect(numbers(all)).toEqual(upTo(3000));
    expect(input.bytesRead).toBe(bytes.length);
    for (const { origin, number } of all) expect(origin).toBe(originOf(3, 24 + number * 1016 + 16));
    const at = all[7]!.origin - originOf(3, 0);
    const again = new Uint8Array(1000);
    expect(await input.readAt!(at, again)).toBe(1000);
    expect(again).toEqual(packet(7, 1000).bytes);
    expect(await input.readAt!(bytes.length - 3, again)).toBe(3);
    expect(warnings).toEqual([]);
  });

  it.each([1, 7, 100, 4096])('may be read in chunks of %d bytes', async (chunkLength) => {
    const input = await open(file('chunks.pcap', capture(20)), { chunkLength });
    expect(numbers(await rest(input))).toEqual(upTo(20));
  });

  it('may have packets longer than a chunk, and than the room before it', async () => {
    const large = pcap([packet(0), packet(1, 250_000), packet(2), packet(3, 73_700), packet(4)]);
    for (const chunkLength of [1024, 5000, 300_000]) {
      const input = await open(file('large.pcap', large), { chunkLength });
      expect((await rest(input)).map(({ length }) => length)).toEqual([60, 250_000, 60, 73_700, 60]);
    }
    expect(warnings).toEqual([]);
  });

  it('gives its comments', async () => {
    const bytes = pcapng(
      section([comment('told')]),
      describedInterface(1),
      enhancedPacket({ ticks: 1n, bytes: new Uint8Array(4) }),
    );
    const told: string[] = [];
    const input = await CaptureInput.open(file('comments.pcapng', bytes), {
      warn: () => {},
      comment: ({ text }, of) => told.push(`${text} ${of.format}`),
    });
    inputs.push(input);
    await rest(input);
    expect(told).toEqual(['told pcapng']);
  });

  it('is read up to where it is cut', async () => {
    const path = file('cut.pcap', capture(10).subarray(0, 24 + 4 * 76 + 30));
    expect(numbers(await rest(await open(path)))).toEqual([0, 1, 2, 3]);
    expect(warnings).toEqual([`${path}: the capture is cut off inside packet 5 (byte ${24 + 4 * 76})`]);
  });

  it('may be removed while it is read, and may grow', async () => {
    const path = file('vanishes.pcap', capture(1000, 1000));
    const input = await open(path, { chunkLength: 4096 });
    await input.next(() => {});
    appendFileSync(path, capture(1001, 1000).subarray(-1016));
    unlinkSync(path);
    await rest(input);
    expect(input.packets).toBe(1001);
    expect(warnings).toEqual([]);
  });

  it('may shrink while it is read: what there is comes, and a warning', async () => {
    const bytes = capture(1000, 1000);
    const path = file('shrinks.pcap', bytes);
    const input = await open(path, { chunkLength: 4096 });
    await input.next(() => {});
    truncateSync(path, 24 + 500 * 1016 + 10);
    expect((await rest(input)).at(-1)!.number).toBe(499);
    expect(warnings).toEqual([
      `${path}: the capture is cut off inside packet 501 (byte ${24 + 500 * 1016})`,
      `${path}: the file became shorter while it was read, it had ${bytes.length} bytes (byte ${24 + 500 * 1016 + 10})`,
    ]);
  });

  it('that is damaged all over warns a few times and counts the rest', async () => {
    const path = file(
      'damaged.pcap',
      pcapng(section(), ...Array.from({ length: 50 }, () => enhancedPacket({ ticks: 1n, bytes: new Uint8Array(4) }))),
    );
    await rest(await open(path));
    expect(warnings).toHaveLength(WARNINGS_LIMIT + 1);
    expect(warnings.at(-1)).toBe(`${path}: ${50 - WARNINGS_LIMIT} more such warnings`);
  });

  it('ends when it is closed, also for a next that waits', async () => {
    const input = await open(file('closed.pcap', capture(1000, 1000)), { chunkLength: 4096 });
    await input.next(() => {});
    const waiting = input.next(() => {});
    await input.close();
    expect(await waiting).toBe(false);
    expect(await input.next(() => {})).toBe(false);
    expect(warnings).toEqual([]);
  });
});

describe('gzip', () => {
  it('is unpacked, several members after one another, in any chunks', async () => {
    const bytes = bulky(400);
    const packed = concatBytes([
      gzipSync(bytes.subarray(0, 1000)),
      gzipSync(bytes.subarray(1000, 200_000)),
      gzipSync(bytes.subarray(200_000)),
    ]);
    const path = file('members.pcap.gz', packed);
    for (const chunkLength of [1000, 1024 * 1024]) {
      const input = await open(path, { chunkLength });
      expect(input).toMatchObject({ format: 'pcap', isGzip: true, size: packed.length, readAt: null });
      const all = await rest(input);
      expect(numbers(all)).toEqual(upTo(400));
      expect(all.every(({ origin }) => origin === -1)).toBe(true);
      expect(input.bytesRead).toBe(packed.length);
    }
    expect(warnings).toEqual([]);
  });

  it('that is cut gives what there is', async () => {
    const packed = gzipSync(bulky(400));
    const path = file('cut.pcap.gz', packed.subarray(0, packed.length / 2));
    const count = (await rest(await open(path))).length;
    expect(count).toBeGreaterThan(190);
    expect(count).toBeLessThan(210);
    expect(warnings[0]).toBe(`${path}: the gzip data is cut off (byte ${Math.floor(packed.length / 2)})`);
    expect(warnings).toHaveLength(2);
  });

  it('that breaks gives what was before the break', async () => {
    const packed = gzipSync(bulky(400));
    // The checksum.
    packed[packed.length - 6]! ^= 0xff;
    const path = file('broken.pcap.gz', packed);
    expect(numbers(await rest(await open(path)))).toEqual(upTo(400));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/the gzip data is broken: incorrect data check \(byte \d+\)$/);
    const at = Number(/byte (\d+)/.exec(warnings[0]!)![1]);
    expect(at).toBe(packed.length - 5);
  });

  it('that breaks in the middle of a small file gives what was before, too', async () => {
    const members = [gzipSync(capture(20)), gzipSync(pcap([packet(20), packet(21)]).subarray(24))];
    // The second member's first block becomes one of a type that there is not.
    members[1]![10] = 0x07;
    const path = file('small.pcap.gz', concatBytes(members));
    expect(numbers(await rest(await open(path)))).toEqual(upTo(20));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/invalid block type/);
  });

  it('does not mind zeros after its end', async () => {
    const path = file('padded.pcap.gz', concatBytes([gzipSync(capture(5)), new Uint8Array(512)]));
    expect(numbers(await rest(await open(path)))).toEqual(upTo(5));
    expect(warnings).toEqual([]);
  });

  it('may unpack to very much more than it is', async () => {
    const bytes = pcap(upTo(1000).map((i) => ({ ...packet(i), bytes: new Uint8Array(60_000) })));
    const input = await open(file('bomb.pcap.gz', gzipSync(bytes)));
    expect((await rest(input)).length).toBe(1000);
  });
});

describe('a pipe', () => {
  function fifo(name: string): string {
    const path = join(folder, name);
    execFileSync('mkfifo', [path]);
    return path;
  }

  it('shows each packet as soon as it comes', async () => {
    const path = fifo('growing');
    const bytes = capture(3);
    const opening = open(path);
    const writer = openSync(path, 'w');
    writeSync(writer, bytes.subarray(0, 24));
    const input = await opening;
    expect(input).toMatchObject({ size: null, readAt: null });
    for (const number of [0, 1, 2]) {
      // In two pieces, as a pipe may have them.
      writeSync(writer, bytes.subarray(24 + 76 * number, 24 + 76 * number + 20));
      writeSync(writer, bytes.subarray(24 + 76 * number + 20, 24 + 76 * (number + 1)));
      const all: Seen[] = [];
      while (all.length === 0) expect(await input.next((each) => all.push(seen(each)))).toBe(true);
      expect(all).toEqual([{ number, length: 60, origin: -1 }]);
    }
    closeSync(writer);
    expect(await rest(input)).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it('may be gzipped', async () => {
    const path = fifo('gzipped');
    const opening = open(path);
    const writer = openSync(path, 'w');
    writeSync(writer, gzipSync(capture(10)));
    closeSync(writer);
    expect(numbers(await rest(await opening))).toEqual(upTo(10));
  });

  it('can be given up while it waits: before it begins, and after', async () => {
    const path = fifo('waiting');
    const giveUp = new AbortController();
    const opening = open(path, { signal: giveUp.signal });
    setImmediate(() => giveUp.abort());
    await expect(opening).rejects.toMatchObject({ code: 'io' });

    const next = open(path);
    const writer = openSync(path, 'w');
    writeSync(writer, capture(0));
    const input = await next;
    expect(await input.next(() => {})).toBe(true);
    const waiting = input.next(() => {});
    setImmediate(() => void input.close());
    expect(await waiting).toBe(false);
    closeSync(writer);
    expect(warnings).toEqual([]);
  });
});

describe('what cannot be read', () => {
  const refused = (path: string): Promise<unknown> =>
    open(path).then(
      () => null,
      (error: unknown) => error,
    );

  it('is said in one line, with advice', async () => {
    const folderInside = join(folder, 'folder');
    mkdirSync(folderInside);
    const cases: readonly (readonly [string, string, string | RegExp])[] = [
      [join(folder, 'missing.pcap'), 'not-found', 'does not exist'],
      [join(file('no-folder', capture(1)), 'x.pcap'), 'not-found', 'does not exist'],
      [folderInside, 'unsupported', 'is a directory'],
      [file('empty.pcap', new Uint8Array(0)), 'unsupported', 'is empty'],
      [file('short.pcap', capture(0).subarray(0, 20)), 'unsupported', 'cut off inside its file header: 20 of 24 bytes'],
      [
        file('short.pcapng', section().subarray(0, 14)),
        'unsupported',
        'cut off inside its file header: 14 of 28 bytes',
      ],
      [file('three', Uint8Array.of(0xd4, 0xc3, 0xb2)), 'unsupported', 'is not a capture'],
      [
        file('text.log', new TextEncoder().encode('2026/01/01 [error] connect() failed\n')),
        'unsupported',
        'it looks like a text',
      ],
      [file('text.gz', gzipSync('some text')), 'unsupported', 'after unpacking: it looks like a text'],
      [file('nothing.gz', gzipSync('')), 'unsupported', 'unpacks to nothing'],
      [file('a.zst', Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0)), 'unsupported', 'zstd'],
      [file('a.xz', Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4, 0, 0, 0, 0)), 'unsupported', 'xz'],
      [file('a.bz2', new TextEncoder().encode('BZh91AY&SY......')), 'unsupported', 'bzip2'],
      [file('a.lz4', Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0, 0, 0, 0, 0, 0, 0, 0)), 'unsupported', 'lz4'],
      [file('a.snoop', new TextEncoder().encode('snoop\0\0\0\0\0\0\x02')), 'unsupported', 'a snoop capture'],
      [
        file(
          'random',
          Uint8Array.from({ length: 600 }, (_, i) => (i * 37) & 0xff),
        ),
        'unsupported',
        /is not a capture$/,
      ],
    ];
    for (const [path, code, words] of cases) {
      const error = await refused(path);
      expect(error, path).toMatchObject({ code, message: expect.stringMatching(words) });
      const { message, advice } = error as { message: string; advice: string | null };
      expect(message).toContain(path);
      expect(message).not.toContain('\n');
      expect(advice).toBeTruthy();
    }
    expect(await refused(join(folder, 'a.zst'))).toMatchObject({
      advice: `unpack it: zstd -dc ${join(folder, 'a.zst')} | fcgi-inspect -`,
    });
  });

  it('a socket is said to be one', async () => {
    const path = join(folder, 'socket');
    const server = createServer().listen(path);
    await new Promise((resolve) => server.on('listening', resolve));
    expect(await refused(path)).toMatchObject({ code: 'unsupported', message: expect.stringContaining('socket') });
    server.close();
  });
});
