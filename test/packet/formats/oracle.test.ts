import { Readable } from 'node:stream';
import fc from 'fast-check';
import { parse } from 'pcap-parser';
import { describe, expect, it } from 'vitest';
import { read } from './reading.js';
import { MICROSECONDS, type PcapPacket, pcap } from './written-captures.js';

/** The package pcap-parser as an oracle for what it knows: classic files with microseconds, in both byte orders. */
function oracle(capture: Uint8Array): Promise<PcapPacket[]> {
  const packets: PcapPacket[] = [];
  const parser = parse(Readable.from([Buffer.from(capture)]));
  return new Promise((resolve, reject) => {
    parser.on('packet', ({ header, data }) =>
      packets.push({
        seconds: header.timestampSeconds,
        fraction: header.timestampMicroseconds,
        original: header.originalLength,
        bytes: Uint8Array.from(data),
      }),
    );
    parser.on('error', reject);
    parser.on('end', () => resolve(packets));
  });
}

const anyPacket = fc
  .record({
    seconds: fc.integer({ min: 0, max: 0xffffffff }),
    fraction: fc.nat(999_999),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    cut: fc.nat(3),
  })
  .map(({ cut, ...packet }) => ({ ...packet, original: packet.bytes.length + cut * 1000 }));

describe('pcap-parser', () => {
  it('reads the same packets', async () => {
    const packets = fc.array(anyPacket, { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(packets, fc.boolean(), async (given, little) => {
        // Times near one another: packets that are decades apart and cut to ever other lengths are damage to us, not to it.
        const near = given.map((packet) => ({ ...packet, seconds: 1_700_000_000 + (packet.seconds % 100_000) }));
        const capture = pcap(near, { little, magic: MICROSECONDS });
        const expected = await oracle(capture);
        const { packets, warnings } = read(capture);
        expect(warnings).toEqual([]);
        expect(
          packets.map(({ at, bytes, originalLength }) => ({
            seconds: Math.floor(at / 1e6),
            fraction: at % 1e6,
            original: originalLength,
            bytes,
          })),
        ).toEqual(expected);
      }),
    );
  });
});
