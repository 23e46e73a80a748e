import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CaptureFiles } from '../../src/capture/capture-files.js';
import { FILES_LIMIT, splitOrigin } from '../../src/packet/origin.js';
import { pcap } from '../packet/formats/written-captures.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fcgi-inspect-captures-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Captures whose packets are of the seconds given; each packet's bytes tell which it is. */
function files(seconds: readonly (readonly number[])[]): string[] {
  return seconds.map((times, file) => {
    const path = join(folder, `${file}.pcap`);
    const bytes = pcap(times.map((second, i) => ({ seconds: second, fraction: 0, bytes: Uint8Array.of(file, i) })));
    writeFileSync(path, file % 3 === 2 ? gzipSync(bytes) : bytes);
    return path;
  });
}

interface Seen {
  readonly at: number;
  readonly file: number;
  readonly index: number;
  readonly origin: number;
}

async function readAll(captures: CaptureFiles): Promise<Seen[]> {
  const all: Seen[] = [];
  while (
    await captures.next(({ at, bytes, start, end, origin }) => {
      expect(end - start).toBe(2);
      all.push({ at: at / 1e6, file: bytes[start]!, index: bytes[start + 1]!, origin });
    })
  );
  return all;
}

/** One at a time, the earliest of the first ones, of equals the one of the first file. */
function merged(seconds: readonly (readonly number[])[]): { file: number; index: number }[] {
  const next = seconds.map(() => 0);
  const all: { file: number; index: number }[] = [];
  for (;;) {
    let best = -1;
    for (const [file, times] of seconds.entries()) {
      const time = times[next[file]!];
      if (time !== undefined && (best < 0 || time < seconds[best]![next[best]!]!)) best = file;
    }
    if (best < 0) return all;
    all.push({ file: best, index: next[best]!++ });
  }
}

const quiet = { warn: () => {} };

describe('several captures', () => {
  it('are read as one, by time, each in its order, in any chunks', async () => {
    const anySeconds = fc.array(fc.array(fc.integer({ min: 1_700_000_000, max: 1_700_000_010 }), { maxLength: 12 }), {
      minLength: 1,
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(anySeconds, fc.integer({ min: 1, max: 400 }), async (seconds, chunkLength) => {
        const captures = await CaptureFiles.open(files(seconds), quiet, { chunkLength });
        const all = await readAll(captures);
        expect(all.map(({ file, index }) => ({ file, index }))).toEqual(merged(seconds));
        for (const { file, index, origin } of all) {
          if (file % 3 === 2) {
            expect(origin).toBe(-1);
            continue;
          }
          expect(splitOrigin(origin)?.file).toBe(file);
          const bytes = new Uint8Array(2);
          expect(await captures.readAt(origin, bytes)).toBe(2);
          expect(bytes).toEqual(Uint8Array.of(file, index));
        }
        expect(captures.bytesRead).toBe(captures.size);
        expect(await captures.next(() => {})).toBe(false);
        await captures.close();
      }),
      { numRuns: 60 },
    );
  });

  it('are all closed when one cannot be opened, and nothing waits', async () => {
    const [path] = files([[1_700_000_000]]);
    await expect(CaptureFiles.open([path!, join(folder, 'missing')], quiet)).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('are refused when they are too many, or standard input is among them twice', async () => {
    const many = Array.from({ length: FILES_LIMIT + 1 }, (_, i) => `${i}.pcap`);
    await expect(CaptureFiles.open(many, quiet)).rejects.toMatchObject({ code: 'usage' });
    await expect(CaptureFiles.open(['-', 'a', '-'], quiet)).rejects.toMatchObject({ code: 'usage' });
  });

  it('give nothing for an origin that is in none of them', async () => {
    const captures = await CaptureFiles.open(files([[1_700_000_000]]), quiet);
    expect(await captures.readAt(-1, new Uint8Array(1))).toBe(0);
    expect(await captures.readAt(2 ** 44 + 24, new Uint8Array(1))).toBe(0);
    await captures.close();
  });
});
