import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../src/model/bytes.js';
import { sniffFormat } from '../../../src/packet/formats/index.js';
import { FILE_SPAN, FILES_LIMIT, originOf, splitOrigin } from '../../../src/packet/origin.js';
import { type Reading, read } from './reading.js';
import {
  block,
  comment,
  describedInterface,
  enhancedPacket,
  MICROSECONDS,
  MODIFIED,
  NANOSECONDS,
  obsoletePacket,
  type PcapPacket,
  pcap,
  pcapng,
  section,
  simplePacket,
} from './written-captures.js';

const anyBytes = fc.uint8Array({ maxLength: 90 });
const anyPcapPacket: fc.Arbitrary<PcapPacket> = fc.record({
  seconds: fc.integer({ min: 1_700_000_000, max: 1_700_100_000 }),
  fraction: fc.nat(999_999),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 90 }),
});
const anyPcap: fc.Arbitrary<Uint8Array> = fc
  .record({
    packets: fc.array(anyPcapPacket, { maxLength: 8 }),
    magic: fc.constantFrom(MICROSECONDS, NANOSECONDS, MODIFIED),
    little: fc.boolean(),
  })
  .map(({ packets, ...options }) => pcap(packets, options));

const anyBlocks = (little: boolean): fc.Arbitrary<Uint8Array[]> => {
  const given = fc.record({
    ticks: fc.bigInt(0n, 2n ** 64n - 1n),
    bytes: anyBytes,
    face: fc.nat(1),
    options: fc.array(fc.string().map(comment), { maxLength: 1 }),
  });
  return fc.array(
    fc.oneof(
      given.map((each) => enhancedPacket(each, little)),
      given.map((each) => obsoletePacket(each, little)),
      anyBytes.map((bytes) => simplePacket(bytes, bytes.length, little)),
      anyBytes.map((bytes) => block(0x4d3c, bytes, little)),
    ),
    { maxLength: 6 },
  );
};
const anySection: fc.Arbitrary<Uint8Array> = fc
  .boolean()
  .chain((little) =>
    anyBlocks(little).map((blocks) => [
      section([], little),
      describedInterface(1, [], little),
      describedInterface(113, [], little),
      ...blocks,
    ]),
  )
  .map(concatBytes);
const anyPcapng: fc.Arbitrary<Uint8Array> = fc
  .array(anySection, { minLength: 1, maxLength: 3 })
  .map((all) => pcapng(...all));
const anyCapture = fc.oneof(anyPcap, anyPcapng);
const anyCuts = fc.array(fc.nat(100_000), { maxLength: 12 });

/** A reading without what only says how much was there: the packets, whole. */
const packetsOf = ({ packets }: Reading): Reading['packets'] => packets;

describe('any capture', () => {
  it('gives the same packets, warnings and comments in any chunking', () => {
    fc.assert(
      fc.property(anyCapture, anyCuts, (capture, cuts) => {
        const whole = read(capture);
        expect(whole.warnings).toEqual([]);
        expect(read(capture, cuts)).toEqual(whole);
        expect(read(capture, Array.from(capture.keys()))).toEqual(whole);
      }),
    );
  });

  it('gives a prefix of its packets when it is cut anywhere, and at most one warning', () => {
    fc.assert(
      fc.property(anyCapture, fc.nat(), anyCuts, (capture, place, cuts) => {
        const whole = packetsOf(read(capture));
        const { packets, warnings } = read(capture.subarray(0, place % (capture.length + 1)), cuts);
        expect(packets).toEqual(whole.slice(0, packets.length));
        expect(warnings.length).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('is read on the same way in any chunking when bytes of it are damaged', () => {
    const anyDamage = fc.array(fc.record({ place: fc.nat(), value: fc.nat(255) }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(anyCapture, anyDamage, anyCuts, (capture, damage, cuts) => {
        for (const { place, value } of damage) capture[place % capture.length] = value;
        // `read` throws when more is wanted than may be, or when a parser stands still.
        expect(read(capture, cuts)).toEqual(read(capture));
      }),
      { numRuns: 500 },
    );
  });

  it('may lack any bytes, or have others between: nothing throws', () => {
    fc.assert(
      fc.property(anyCapture, fc.nat(), fc.nat(200), anyBytes, anyCuts, (capture, place, length, other, cuts) => {
        const at = place % (capture.length + 1);
        const damaged = concatBytes([capture.subarray(0, at), other, capture.subarray(at + length)]);
        expect(read(damaged, cuts)).toEqual(read(damaged));
      }),
    );
  });

  it('may be nothing but its first bytes and others', () => {
    fc.assert(
      fc.property(anyCapture, fc.uint8Array({ maxLength: 600 }), anyCuts, (capture, other, cuts) => {
        const damaged = concatBytes([capture.subarray(0, 24), other]);
        expect(read(damaged, cuts)).toEqual(read(damaged));
      }),
    );
  });
});

describe('sniffing', () => {
  it('does not take for a capture what is none', () => {
    for (const bytes of [
      [],
      [0xd4],
      [0xd4, 0xc3, 0xb2],
      [0x1f, 0x8b, 8, 0],
      [0x0a, 0x0d, 0x0d, 0x0a, 1, 2, 3, 4, 5, 6, 7, 8],
    ]) {
      expect(sniffFormat(Uint8Array.from(bytes))).toBeNull();
    }
    expect(sniffFormat(new TextEncoder().encode('2024-01-01 tcpdump: listening'))).toBeNull();
  });
});

describe('origins', () => {
  it('tell file and offset, exactly', () => {
    fc.assert(
      fc.property(fc.nat(FILES_LIMIT - 1), fc.maxSafeNat(), (file, any) => {
        const offset = any % FILE_SPAN;
        expect(splitOrigin(originOf(file, offset))).toEqual({ file, offset });
      }),
    );
    expect(splitOrigin(-1)).toBeNull();
    expect(originOf(FILES_LIMIT, 0)).toBeLessThanOrEqual(2 ** 52);
  });
});
