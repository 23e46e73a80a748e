import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codingsOf, undoContentCoding } from '../../src/content/content-coding.js';

const text = Array.from({ length: 2000 }, (_, i) => `line ${i} ${(i * 7919) % 1009}\n`).join('');
const plain = Buffer.from(text);

function* slices(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    // Borrowed, like everybody's slices: overwritten as soon as the next is asked for.
    const slice = new Uint8Array(bytes.subarray(at, at + size));
    yield slice;
    slice.fill(0xaa);
  }
}

const PACKED: readonly (readonly [string, Uint8Array])[] = [
  ['gzip', gzipSync(plain)],
  ['X-GZip', gzipSync(plain)],
  ['deflate', deflateSync(plain)],
  ['deflate', deflateRawSync(plain)],
  ['br', brotliCompressSync(plain)],
  ['gzip, br', brotliCompressSync(gzipSync(plain))],
  ['identity', plain],
];

describe('undoContentCoding', () => {
  it.each(PACKED)('%s, in slices of any size', async (encoding, packed) => {
    for (const size of [7, 64, packed.length]) {
      const result = await undoContentCoding(slices(packed, size), encoding);
      expect(Buffer.from(result.bytes).toString()).toBe(text);
      expect(result).toMatchObject({ complete: true, problem: null, undone: codingsOf(encoding).reverse() });
    }
  });

  it('takes no coding as it is', async () => {
    expect(await undoContentCoding([plain], null)).toEqual({ bytes: plain, undone: [], complete: true, problem: null });
    expect((await undoContentCoding([], 'gzip')).bytes).toHaveLength(0);
  });

  it.each(PACKED.filter(([encoding]) => encoding !== 'identity'))(
    '%s cut off gives what came before the cut, and says so',
    async (encoding, packed) => {
      const result = await undoContentCoding(slices(packed.subarray(0, packed.length >> 1), 1000), encoding);
      expect(result.complete).toBe(false);
      expect(result.problem).toMatch(/cut off: \d+ bytes could be unpacked/);
      expect(result.bytes.length).toBeGreaterThan(500);
      expect(text.startsWith(Buffer.from(result.bytes).toString())).toBe(true);
    },
  );

  it('gives what came before a defect', async () => {
    const packed = gzipSync(plain);
    packed.fill(0xff, packed.length - 1000, packed.length - 500);
    const result = await undoContentCoding(slices(packed, 512), 'gzip');
    expect(result.complete).toBe(false);
    expect(result.problem).toMatch(/broken/);
    expect(text.startsWith(Buffer.from(result.bytes.subarray(0, 3000)).toString())).toBe(true);
  });

  it('stops a bomb at the limit', async () => {
    const bomb = gzipSync(gzipSync(Buffer.alloc(200_000_000)));
    expect(bomb.length).toBeLessThan(20_000);
    const result = await undoContentCoding([bomb], 'gzip, gzip', 1_000_000);
    expect(result.bytes).toHaveLength(1_000_000);
    expect(result).toMatchObject({ complete: false, problem: 'only the first 1000000 bytes were taken' });
  });

  it('limits what is not packed as well', async () => {
    const result = await undoContentCoding(slices(plain, 999), null, 1500);
    expect(Buffer.from(result.bytes).toString()).toBe(text.slice(0, 1500));
    expect(result.complete).toBe(false);
  });

  it('leaves an unknown coding on, and what was applied before it', async () => {
    const result = await undoContentCoding([gzipSync(plain)], 'zstd, gzip');
    expect(result).toMatchObject({ undone: ['gzip'], complete: false });
    expect(result.problem).toContain('"zstd"');
    expect(Buffer.from(result.bytes).toString()).toBe(text);
    expect((await undoContentCoding([plain], 'gzip,'.repeat(50))).undone).toEqual([]);
  });

  it('never throws, whatever the bytes', async () => {
    const coding = fc.constantFrom('gzip', 'deflate', 'br', 'gzip, deflate');
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), coding, async (bytes, encoding) => {
        const result = await undoContentCoding(slices(bytes, 13), encoding);
        expect(result.complete).toBe(result.problem === null);
      }),
    );
  });
});
