import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../src/model/bytes.js';
import { read } from './reading.js';
import { MICROSECONDS, MODIFIED, NANOSECONDS, packet, pcap } from './written-captures.js';

const PACKET = 16 + 60;
const offsetOf = (number: number): number => 24 + number * PACKET;
const ten = Array.from({ length: 10 }, (_, i) => packet(i));

/** The capture of ten packets, with one field of one packet's header overwritten. */
function damaged(number: number, field: 'fraction' | 'captured' | 'original', value: number): Uint8Array {
  const bytes = pcap(ten);
  const at = { fraction: 4, captured: 8, original: 12 }[field];
  new DataView(bytes.buffer).setUint32(offsetOf(number) + at, value, true);
  return bytes;
}

describe('classic pcap', () => {
  it.each([
    ['microseconds, little-endian', MICROSECONDS, true],
    ['microseconds, big-endian', MICROSECONDS, false],
    ['nanoseconds, little-endian', NANOSECONDS, true],
    ['nanoseconds, big-endian', NANOSECONDS, false],
    ['modified, little-endian', MODIFIED, true],
    ['modified, big-endian', MODIFIED, false],
  ])('is read with %s', (_name, magic, little) => {
    const given = [packet(1), packet(2, 1400), packet(3, 1)];
    const { format, packets, warnings } = read(pcap(given, { magic, little, linkType: 113 }));
    expect(format).toBe('pcap');
    expect(warnings).toEqual([]);
    expect(packets.map(({ bytes }) => bytes)).toEqual(given.map(({ bytes }) => bytes));
    expect(packets.map(({ linkType }) => linkType)).toEqual([113, 113, 113]);
    expect(packets.map(({ originalLength }) => originalLength)).toEqual([60, 1400, 1]);
    const unit = magic === NANOSECONDS ? 1000 : 1;
    // Nanoseconds survive to a quarter of a microsecond.
    packets.forEach((each, i) => {
      expect(Math.abs(each.at - (1_700_000_001 + i) * 1e6 - (i + 1) / unit)).toBeLessThanOrEqual(0.125);
    });
  });

  it('says where in its file each packet lies', () => {
    const bytes = pcap(ten);
    for (const each of read(bytes, [], 5 * 2 ** 44).packets) {
      const offset = each.origin - 5 * 2 ** 44;
      expect(bytes.slice(offset, offset + 60)).toEqual(each.bytes);
    }
    expect(read(bytes, [], -1).packets.map(({ origin }) => origin)).toEqual(ten.map(() => -1));
  });

  it('leaves out what the upper half of the link type tells of frame check sequences', () => {
    expect(read(pcap(ten, { linkType: 0x24000001 })).packets[0]!.linkType).toBe(1);
  });

  it('reads packets that a snap length cut, those of other lengths among them', () => {
    const given = [
      packet(0, 60),
      { ...packet(1, 60), original: 1500 },
      packet(2, 10),
      { ...packet(3, 40), original: 70_000 },
    ];
    for (const snapLength of [60, 0, 65_535]) {
      const { packets, warnings } = read(pcap(given, { snapLength }));
      expect(warnings).toEqual([]);
      expect(packets.map(({ originalLength }) => originalLength)).toEqual([60, 1500, 10, 70_000]);
      expect(packets.map(({ bytes }) => bytes.length)).toEqual([60, 60, 10, 40]);
    }
  });

  it('reads packets longer than its snap length, up to what a network has', () => {
    expect(read(pcap([packet(0, 200_000), packet(1)], { snapLength: 96 })).packets).toHaveLength(2);
  });

  it('reads the two lengths in the order of old writers', () => {
    const bytes = pcap([packet(0), packet(1), packet(2)], { minor: 2 });
    // The wire's length first.
    new DataView(bytes.buffer).setUint32(offsetOf(1) + 8, 1500, true);
    new DataView(bytes.buffer).setUint32(offsetOf(1) + 12, 60, true);
    const { packets, warnings } = read(bytes);
    expect(warnings).toEqual([]);
    expect(packets.map(({ originalLength }) => originalLength)).toEqual([60, 1500, 60]);
  });

  it('has no packets without packets', () => {
    expect(read(pcap([]))).toMatchObject({ packets: [], warnings: [] });
  });

  it.each([0xffffffff, 0x7fffffff, 20_000_000, 300_000, 200_000, 61, 59, 0])(
    'goes on after a captured length of %d',
    (length) => {
      const { packets, warnings } = read(damaged(4, 'captured', length));
      const numbers = packets.map(({ at }) => Math.round(at / 1e6) - 1_700_000_000);
      expect(numbers).toEqual([0, 1, 2, 3, 5, 6, 7, 8, 9]);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]!.offset).toBe(offsetOf(4));
      expect(warnings[0]!.text).toContain('packet 5 ');
      expect(warnings[0]!.text).toContain(`; ${PACKET} bytes were skipped`);
    },
  );

  it('keeps a packet when only how long it was on the wire is damaged', () => {
    for (const original of [0xffffffff, 59, 1]) {
      const { packets, warnings } = read(damaged(4, 'original', original));
      expect(warnings).toEqual([]);
      expect(packets).toHaveLength(10);
      expect(packets[4]!.originalLength).toBe(60);
    }
  });

  it('keeps a packet when only its time is damaged', () => {
    const { packets, warnings } = read(damaged(4, 'fraction', 0xffffffff));
    expect(warnings).toEqual([]);
    expect(packets).toHaveLength(10);
  });

  it('reads a file whose microseconds are all nanoseconds', () => {
    const { packets, warnings } = read(pcap(ten.map((each) => ({ ...each, fraction: 999_999_999 }))));
    expect(warnings).toEqual([]);
    expect(packets).toHaveLength(10);
  });

  it('finds the packets after foreign bytes, and the end of them', () => {
    const foreign = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) >> 3);
    const tail = pcap(ten).subarray(24);
    const { packets, warnings } = read(concatBytes([pcap(ten), foreign, tail, foreign]));
    expect(packets).toHaveLength(20);
    expect(warnings.map(({ offset }) => offset)).toEqual([offsetOf(10), offsetOf(20) + 5000]);
    expect(warnings[0]!.text).toContain('5000 bytes were skipped');
    expect(warnings[1]!.text).toContain('no packet was found in the 5000 bytes up to the end');
  });

  it('reads two captures that somebody put into one file', () => {
    const { packets, warnings } = read(concatBytes([pcap(ten), pcap(ten)]));
    expect(packets).toHaveLength(20);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]!.text).toContain('24 bytes were skipped');
  });

  it('does not take the zeros for packets that a crash leaves at the end', () => {
    const { packets, warnings } = read(concatBytes([pcap(ten), new Uint8Array(4096)]));
    expect(packets).toHaveLength(10);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({ offset: offsetOf(10) });
  });

  it('is read up to where it is cut, wherever that is', () => {
    const whole = pcap(ten);
    for (let length = 24; length <= whole.length; length += 1) {
      const { packets, warnings } = read(whole.subarray(0, length));
      const complete = Math.floor((length - 24) / PACKET);
      expect(packets).toHaveLength(complete);
      if ((length - 24) % PACKET === 0) expect(warnings).toEqual([]);
      else
        expect(warnings).toEqual([
          { text: `the capture is cut off inside packet ${complete + 1}`, offset: offsetOf(complete) },
        ]);
    }
  });
});
