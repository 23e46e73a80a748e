import { describe, expect, it } from 'vitest';
import { HeldBytes } from '../../../src/protocol/fastcgi/held-bytes.js';

const fill = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);
const content = (held: HeldBytes): Uint8Array => held.bytes.subarray(held.start, held.end);

describe('HeldBytes', () => {
  it('takes memory for what is there, not for what may come, and keeps the bytes when it grows', () => {
    const held = new HeldBytes(100, 1);
    expect(held.bytes).toHaveLength(0);
    held.append(Uint8Array.of(1, 2, 3, 4), 1, 3);
    expect(held.bytes.length).toBeLessThanOrEqual(256);
    held.append(fill(1_000, 9), 0, 1_000);
    held.append(fill(64_000, 8), 0, 64_000);
    expect(held.span).toBe(65_002);
    expect(Array.from(content(held).subarray(0, 4))).toEqual([2, 3, 9, 9]);
    expect(content(held)[1_002]).toBe(8);
  });

  it('makes room at the front for a record that begins behind what was dropped', () => {
    const held = new HeldBytes(0, 1);
    held.append(fill(65_000, 1), 0, 65_000);
    held.addHole(10);
    held.advance(60_000, 60_000);
    held.append(fill(60_000, 2), 0, 60_000);
    expect(held.span).toBe(65_010);
    expect(held.bytes[held.holeAt - 1]).toBe(1);
    expect(held.bytes[held.holeAt]).toBe(2);
    // It is the same memory still, and nobody else's.
    const other = new HeldBytes(0, 1);
    other.append(fill(60_000, 3), 0, 60_000);
    expect(held.bytes[held.holeAt]).toBe(2);
  });

  it('joins holes and gives up what was seen between them', () => {
    const held = new HeldBytes(0, 1);
    held.append(fill(10, 1), 0, 10);
    held.addHole(5);
    held.append(fill(3, 2), 0, 3);
    held.addHole(2);
    held.append(fill(4, 3), 0, 4);
    expect(held).toMatchObject({ span: 24, holeAt: 10, holeLength: 10 });
    expect(Array.from(content(held))).toEqual([...Array(10).fill(1), ...Array(4).fill(3)]);
  });

  it('knows when each byte arrived', () => {
    const held = new HeldBytes(50, 7);
    held.append(fill(10, 1), 0, 10);
    held.markArrival(8);
    held.append(fill(10, 1), 0, 10);
    expect([50, 59, 60, 69].map((offset) => held.arrivalOf(offset))).toEqual([7, 7, 8, 8]);
    held.advance(12, 62);
    expect(held.arrivalOf(62)).toBe(8);
  });

  it('hands its memory on only when it is released', () => {
    const one = new HeldBytes(0, 1);
    const other = new HeldBytes(0, 1);
    one.append(fill(50_000, 1), 0, 50_000);
    other.append(fill(50_000, 2), 0, 50_000);
    expect(one.bytes).not.toBe(other.bytes);
    const { bytes } = one;
    one.release();
    const third = new HeldBytes(0, 1);
    third.append(fill(50_000, 3), 0, 50_000);
    expect(third.bytes).toBe(bytes);
    expect(content(other)).toEqual(fill(50_000, 2));
  });
});
