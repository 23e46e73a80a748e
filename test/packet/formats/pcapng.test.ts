import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../src/model/bytes.js';
import { COMMENT_LENGTH_LIMIT, COMMENTS_LIMIT } from '../../../src/packet/formats/format.js';
import { read } from './reading.js';
import {
  block,
  comment,
  describedInterface,
  enhancedPacket,
  type Option,
  obsoletePacket,
  packet,
  pcapng,
  section,
  simplePacket,
} from './written-captures.js';

const { bytes } = packet(1, 61);
const TICKS = 1_700_000_000_123_456n;
const head = concatBytes([section(), describedInterface(1)]);
const resolution = (value: number): Option => ({ code: 9, value: Uint8Array.of(value) });

function timeOffset(seconds: bigint, little: boolean): Option {
  const value = new Uint8Array(8);
  new DataView(value.buffer).setBigInt64(0, seconds, little);
  return { code: 14, value };
}

describe('pcapng', () => {
  it.each([true, false])('is read with its three kinds of packets, little-endian %s', (little) => {
    const capture = pcapng(
      section([], little),
      describedInterface(101, [], little),
      enhancedPacket({ ticks: TICKS, bytes, original: 1500 }, little),
      simplePacket(bytes, bytes.length, little),
      obsoletePacket({ ticks: TICKS + 1n, bytes }, little),
    );
    const { format, packets, warnings } = read(capture);
    expect(format).toBe('pcapng');
    expect(warnings).toEqual([]);
    expect(packets.map((each) => each.bytes)).toEqual([bytes, bytes, bytes]);
    expect(packets.map(({ linkType }) => linkType)).toEqual([101, 101, 101]);
    // A simple packet has the time of the one before.
    expect(packets.map(({ at }) => at)).toEqual([Number(TICKS), Number(TICKS), Number(TICKS) + 1]);
    expect(packets.map(({ originalLength }) => originalLength)).toEqual([1500, 61, 61]);
    for (const { origin } of packets) expect(capture.slice(origin, origin + 61)).toEqual(bytes);
  });

  it('cuts simple packets to the snap length of their interface', () => {
    const { packets } = read(
      pcapng(section(), describedInterface(1, [], true, 40), simplePacket(bytes.slice(0, 40), 61)),
    );
    expect(packets[0]!.bytes).toEqual(bytes.slice(0, 40));
    expect(packets[0]!.originalLength).toBe(61);
  });

  it('knows several interfaces, and forgets them with their section, and byte orders', () => {
    const { packets, warnings } = read(
      pcapng(
        section(),
        describedInterface(1),
        describedInterface(113),
        enhancedPacket({ face: 1, ticks: TICKS, bytes }),
        enhancedPacket({ face: 0, ticks: TICKS, bytes }),
        section([], false),
        describedInterface(101, [], false),
        enhancedPacket({ face: 0, ticks: TICKS, bytes }, false),
        enhancedPacket({ face: 1, ticks: TICKS, bytes }, false),
      ),
    );
    expect(packets.map(({ linkType }) => linkType)).toEqual([113, 1, 101]);
    expect(warnings.map(({ text }) => text)).toEqual(['a packet of interface 1, which is not described']);
  });

  it.each([
    ['nanoseconds', 9, 1_700_000_000_123_456_789n, 1_700_000_000_123_456 + 0.75],
    ['nanoseconds that are whole microseconds', 9, 1_700_000_000_123_457_000n, 1_700_000_000_123_457],
    ['picoseconds', 12, 17_000_000_123_456_500_000n, 17_000_000_123_456.5],
    ['milliseconds', 3, 1_700_000_000_123n, 1_700_000_000_123_000],
    ['seconds', 0, 1_700_000_000n, 1_700_000_000_000_000],
    ['1024ths of a second', 0x8a, 1_700_000_000n * 1024n + 512n, 1_700_000_000_500_000],
    ['parts of 2 ** 32', 0xa0, (1_700_000_000n << 32n) + (1n << 30n), 1_700_000_000_250_000],
  ])('reads time stamps in %s', (_name, value, ticks, at) => {
    for (const little of [true, false]) {
      const capture = pcapng(
        section([], little),
        describedInterface(1, [resolution(value)], little),
        enhancedPacket({ ticks, bytes }, little),
      );
      expect(read(capture).packets[0]!.at).toBe(at);
    }
  });

  it('adds the offset of the interface, and keeps damaged times within what can be a date', () => {
    for (const little of [true, false]) {
      const at = (seconds: bigint): number =>
        read(
          pcapng(
            section([], little),
            describedInterface(1, [timeOffset(seconds, little)], little),
            enhancedPacket({ ticks: TICKS, bytes }, little),
          ),
        ).packets[0]!.at;
      expect(at(-3600n)).toBe(Number(TICKS) - 3600e6);
      expect(at(2n ** 62n)).toBe(Number.MAX_SAFE_INTEGER);
      expect(at(-(2n ** 62n))).toBe(0);
    }
  });

  it('passes over blocks and options that it does not know', () => {
    const options: Option[] = [{ code: 2, value: bytes }, { code: 0xbeef, value: bytes }, resolution(9)];
    const { packets, warnings } = read(
      pcapng(
        section([{ code: 4, value: bytes }]),
        block(0x7001, bytes),
        describedInterface(1, options),
        block(5, new Uint8Array(12)),
        block(0x7fffffff, new Uint8Array(0)),
        enhancedPacket({ ticks: TICKS * 1000n, bytes, options: [{ code: 2, value: new Uint8Array(4) }] }),
      ),
    );
    expect(warnings).toEqual([]);
    expect(packets.map(({ at }) => at)).toEqual([Number(TICKS)]);
  });

  it('gives out the comments, those of a packet before it', () => {
    const { comments } = read(
      pcapng(
        section([comment('of the section'), comment('another')]),
        describedInterface(1, [comment('of the interface')]),
        enhancedPacket({ ticks: TICKS, bytes }),
        enhancedPacket({ ticks: TICKS + 5n, bytes, options: [{ code: 2, value: bytes }, comment('grüße')] }),
      ),
    );
    expect(comments).toEqual([
      { subject: 'section', packet: null, at: null, text: 'of the section' },
      { subject: 'section', packet: null, at: null, text: 'another' },
      { subject: 'interface', packet: null, at: null, text: 'of the interface' },
      { subject: 'packet', packet: 2, at: Number(TICKS) + 5, text: 'grüße' },
    ]);
  });

  it('bounds the comments, in number and length', () => {
    const chatty = enhancedPacket({ ticks: TICKS, bytes, options: [comment('x'.repeat(60_000))] });
    const { packets, comments, warnings } = read(
      pcapng(head, ...Array.from({ length: COMMENTS_LIMIT + 5 }, () => chatty)),
    );
    expect(packets).toHaveLength(COMMENTS_LIMIT + 5);
    expect(comments).toHaveLength(COMMENTS_LIMIT);
    expect(comments[0]!.text).toHaveLength(COMMENT_LENGTH_LIMIT);
    expect(warnings).toHaveLength(1);
  });

  const good = (number: number): Uint8Array => enhancedPacket({ ticks: TICKS + BigInt(number), bytes });
  const numbers = (packets: readonly { readonly at: number }[]): number[] =>
    packets.map(({ at }) => at - Number(TICKS));

  it.each([0, 8, 97, 96 + 4000, 10_000_000, 0x7ffffff0, 0xffffffff])('goes on after a block length of %d', (length) => {
    const bad = good(1);
    new DataView(bad.buffer).setUint32(4, length, true);
    const { packets, warnings } = read(pcapng(head, good(0), bad, good(2), good(3)));
    expect(numbers(packets)).toEqual([0, 2, 3]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]!.offset).toBe(head.length + bad.length);
    expect(warnings[0]!.text).toContain(`${bad.length} bytes were skipped`);
  });

  it('believes a block whose last length is damaged when it leads to another', () => {
    const bad = good(1);
    new DataView(bad.buffer).setUint32(bad.length - 4, 5, true);
    for (const after of [[good(2)], []]) {
      const { packets, warnings } = read(pcapng(head, good(0), bad, ...after));
      expect(numbers(packets)).toEqual([0, 1, 2].slice(0, 2 + after.length));
      expect(warnings).toEqual([
        { text: 'the block after packet 1 has two different lengths', offset: head.length + bad.length },
      ]);
    }
  });

  it('leaves out a packet that claims more than its block holds, and goes on', () => {
    const bad = good(1);
    new DataView(bad.buffer).setUint32(20, 0xffffffff, true);
    const { packets, warnings } = read(pcapng(head, good(0), bad, good(2)));
    expect(numbers(packets)).toEqual([0, 2]);
    expect(warnings[0]!.text).toContain('claims 4294967295 bytes in a block with room for 64');
  });

  it('finds the next section in the other byte order', () => {
    const { packets, warnings } = read(
      pcapng(
        head,
        good(0),
        bytes,
        section([], false),
        describedInterface(9, [], false),
        enhancedPacket({ ticks: TICKS, bytes }, false),
      ),
    );
    expect(packets.map(({ linkType }) => linkType)).toEqual([1, 9]);
    expect(warnings).toHaveLength(1);
  });

  it('is read up to where it is cut, wherever that is', () => {
    const whole = pcapng(head, good(0), good(1), good(2));
    const size = good(0).length;
    for (let length = head.length; length <= whole.length; length += 1) {
      const { packets, warnings } = read(whole.subarray(0, length));
      const complete = Math.floor((length - head.length) / size);
      expect(packets).toHaveLength(complete);
      const offset = head.length + complete * size;
      expect(warnings).toEqual(
        length === offset ? [] : [{ text: `the capture is cut off after packet ${complete}`, offset }],
      );
    }
  });
});
