import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Capture, LINKTYPE, offsetOfPacket, PACKET_HEADER, writeCapture } from './capture-file.js';
import { type Derivation, SAMPLES, SHORT, sampleBytes, sampleCapture } from './derivation.js';
import { framesOf } from './frame.js';
import { oddBlocks } from './odd-blocks.js';

const SNAP_LENGTH = 96;
const OVERLAP_MICROSECONDS = 2_000;
const ABSURD_LENGTH = 0xffff_fff0;

/** The forms of a file: byte orders, pcapng, gzip, and files that are not whole. */
export const FORMATS: readonly Derivation[] = [
  {
    ...SHORT,
    file: 'big-endian.pcap',
    shows: 'a pcap file of a big-endian machine',
    look: 'the same requests as in short.pcap',
    how: 'written anew in the other byte order',
    derive: () => writeCapture(sampleCapture('short.pcap'), false),
  },
  {
    file: 'two-interfaces.pcapng',
    shows: 'pcapng with two interfaces of different link types, and comments',
    look: 'six requests from two captures, in turn by time; comments on the packets 4 and 30',
    from: ['short.pcap', 'cooked-v2.pcap'],
    how: 'the second moved to the time of the first, mergecap, editcap -a',
    ports: [9000],
    connections: 6,
    requests: 6,
    outcomes: { completed: 6 },
    tools: ['editcap', 'mergecap'],
    derive: twoInterfaces,
  },
  {
    ...SHORT,
    file: 'odd-blocks.pcapng',
    shows: 'pcapng as few tools write it: two sections in different byte orders, and every kind of packet block',
    look: 'the first connection in a little-endian section (nanoseconds, an unknown block, options, a name resolution block), the second in a big-endian one (if_tsoffset, obsolete packet blocks, an interface with an unknown link type), the third in simple packet blocks, which have no time',
    how: 'written anew, block by block',
    derive: () => oddBlocks(sampleCapture('short.pcap')),
  },
  {
    ...SHORT,
    file: 'gzip.pcap.gz',
    shows: 'a compressed capture',
    look: 'the same requests as in short.pcap',
    how: 'gzip',
    derive: () => gzipSync(sampleBytes('short.pcap'), { level: 9 }),
  },
  {
    ...SHORT,
    file: 'gzip-cut.pcap.gz',
    shows: 'a compressed capture that breaks off',
    look: 'what comes before the break is read; a warning says where it is',
    how: 'gzip, without the last third',
    outcomes: { completed: 2, unfinished: 1 },
    derive: () => {
      const whole = gzipSync(sampleBytes('short.pcap'), { level: 9 });
      return whole.subarray(0, Math.floor((whole.length * 2) / 3));
    },
  },
  {
    ...SHORT,
    file: 'cut.pcap',
    shows: 'a file cut in the middle of a packet, as a full disk or a copy of a growing file leaves it',
    look: 'the second request ends in the middle of its answer: unfinished; a warning names the offset of the cut',
    how: 'without its last part',
    connections: 2,
    requests: 2,
    outcomes: { completed: 1, unfinished: 1 },
    derive: () => {
      const capture = sampleCapture('short.pcap');
      return writeCapture(capture).subarray(0, offsetOfPacket(capture, secondAnswer(capture)) + PACKET_HEADER + 1_000);
    },
  },
  {
    ...SHORT,
    file: 'absurd-length.pcap',
    shows: 'a packet header with a length of 4 GB',
    look: 'the packet with the answer to the second request is skipped, what comes after it is read; nobody allocates 4 GB',
    how: 'one length overwritten',
    outcomes: { completed: 2, undecodable: 1 },
    derive: () => {
      const capture = sampleCapture('short.pcap');
      const file = writeCapture(capture);
      new DataView(file.buffer).setUint32(offsetOfPacket(capture, secondAnswer(capture)) + 8, ABSURD_LENGTH, true);
      return file;
    },
  },
  {
    ...SHORT,
    file: 'snap-length-96.pcap',
    shows: 'captured with tcpdump -s 96: of each packet only the beginning',
    look: 'the first record header of each packet is there, most contents are not: gaps; END_REQUEST lies in a part that was cut off',
    how: 'packets cut to 96 bytes',
    outcomes: { undecodable: 3 },
    derive: () => writeCapture(snapped(sampleCapture('short.pcap'))),
  },
  {
    ...SHORT,
    file: 'unknown-link-type.pcap',
    shows: 'a link type that nobody knows (USER7, 154)',
    look: 'the number is named; nothing else can be read',
    how: 'the link type overwritten',
    connections: 0,
    requests: 0,
    outcomes: {},
    derive: () => writeCapture({ ...sampleCapture('short.pcap'), linkType: LINKTYPE.user7 }),
  },
  {
    ...SHORT,
    file: 'empty.pcap',
    shows: 'a capture in which nothing was captured',
    look: 'no requests, no error',
    how: 'without any packet',
    connections: 0,
    requests: 0,
    outcomes: {},
    derive: () => writeCapture({ ...sampleCapture('short.pcap'), packets: [] }),
  },
];

/** The index of the packet with the answer to the second request. */
function secondAnswer({ packets }: Capture): number {
  return framesOf(packets).findIndex(
    ({ connection, side, payload }) => connection === 1 && side === 'server' && payload.length > 0,
  );
}

function snapped(capture: Capture): Capture {
  return {
    ...capture,
    snapLength: SNAP_LENGTH,
    packets: capture.packets.map((packet) => ({ ...packet, bytes: packet.bytes.slice(0, SNAP_LENGTH) })),
  };
}

/** The second begins when the first is under way, so that their packets come in turn. */
function twoInterfaces(): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'samples-'));
  try {
    const merged = join(folder, 'merged.pcapng');
    const commented = join(folder, 'commented.pcapng');
    const moved = join(folder, 'cooked-v2.pcap');
    const cooked = sampleCapture('cooked-v2.pcap');
    const shift = sampleCapture('short.pcap').packets[0]!.at + OVERLAP_MICROSECONDS - cooked.packets[0]!.at;
    const packets = cooked.packets.map((packet) => ({ ...packet, at: packet.at + shift }));
    writeFileSync(moved, writeCapture({ ...cooked, packets }));
    execFileSync('mergecap', ['-F', 'pcapng', '-w', merged, `${SAMPLES}short.pcap`, moved]);
    const comments = ['-a', '4:the first request', '-a', '30:somewhere in the middle'];
    execFileSync('editcap', ['-F', 'pcapng', ...comments, merged, commented]);
    return withoutSystem(readFileSync(commented));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The tools write the kernel's version into the section header, which says something of the machine. */
function withoutSystem(file: Uint8Array): Uint8Array {
  const sectionOptions = 24;
  const operatingSystem = 3;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = view.getUint32(4, true);
  let kept = file.slice(0, sectionOptions);
  for (let at = sectionOptions; at < length - 4; ) {
    const size = 4 + ((view.getUint16(at + 2, true) + 3) & ~3);
    if (view.getUint16(at, true) !== operatingSystem) kept = Buffer.concat([kept, file.subarray(at, at + size)]);
    at += size;
  }
  const total = new Uint8Array(4);
  new DataView(total.buffer).setUint32(0, kept.length + 4, true);
  kept.set(total, 4);
  return Buffer.concat([kept, total, file.subarray(length)]);
}
