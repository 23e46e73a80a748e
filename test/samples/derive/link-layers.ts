import { type CapturedPacket, LINKTYPE, writeCapture } from './capture-file.js';
import { type Derivation, SHORT, sampleFrames } from './derivation.js';
import { ETHERNET, type Frame, packetsOf, sealIpv4, viewOf } from './frame.js';

const ETHERTYPE = { vlan: 0x8100, serviceVlan: 0x88a8, oldQinQ: 0x9100 } as const;
/** BSD's AF_INET. */
const FAMILY_INET = 2;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const NEXT_HEADER = { hopByHop: 0, tcp: 6, fragment: 44, destination: 60 } as const;
/** What an MTU of 1 000 leaves, a multiple of 8. */
const FRAGMENT = 976;
const MORE_FRAGMENTS = 0x2000;

/** What lies around and between the TCP segments. */
export const LINK_LAYERS: readonly Derivation[] = [
  {
    ...SHORT,
    file: 'vlan.pcap',
    shows: 'VLAN tags: 802.1Q, QinQ (802.1ad), and the older 0x9100',
    look: 'one, two and two tags, a connection each',
    how: 'tags inserted',
    derive: () =>
      ethernet(sampleFrames('short.pcap'), ({ bytes, connection }) => {
        const tags = [
          [ETHERTYPE.vlan, 100],
          [ETHERTYPE.serviceVlan, 20, ETHERTYPE.vlan, 100],
          [ETHERTYPE.oldQinQ, 20, ETHERTYPE.vlan, 100],
        ][connection]!;
        return [
          joined(
            bytes.subarray(0, 12),
            Uint8Array.from(tags.flatMap((value) => [value >> 8, value & 0xff])),
            bytes.subarray(12),
          ),
        ];
      }),
  },
  {
    ...SHORT,
    file: 'raw-ip.pcap',
    shows: 'raw IP, as tunnel interfaces give it',
    look: 'the same requests as in short.pcap',
    how: 'without Ethernet headers, link type 101',
    derive: () => relinked(LINKTYPE.raw, (bytes) => bytes.subarray(ETHERNET)),
  },
  {
    ...SHORT,
    file: 'bsd-null.pcap',
    shows: 'the loopback interface of a BSD or macOS',
    look: 'the address family in the byte order of the machine in place of the Ethernet header',
    how: 'link type 0 (NULL)',
    derive: () =>
      relinked(LINKTYPE.null, (bytes) => joined(Uint8Array.of(FAMILY_INET, 0, 0, 0), bytes.subarray(ETHERNET))),
  },
  {
    ...SHORT,
    file: 'bsd-loop.pcap',
    shows: 'the loopback interface of OpenBSD',
    look: 'the address family in network byte order in place of the Ethernet header',
    how: 'link type 108 (LOOP)',
    derive: () =>
      relinked(LINKTYPE.loop, (bytes) => joined(Uint8Array.of(0, 0, 0, FAMILY_INET), bytes.subarray(ETHERNET))),
  },
  {
    ...SHORT,
    file: 'ip-fragments.pcap',
    shows: 'IPv4 fragments',
    look: 'the large packets come in pieces, those of the second connection in reverse order; all of them have IP options',
    how: 'cut into fragments of 976 bytes',
    derive: () => ethernet(sampleFrames('short.pcap'), fragmentsIpv4),
  },
  {
    ...SHORT,
    from: ['ipv6.pcap'],
    file: 'ipv6-fragments.pcap',
    shows: 'IPv6 extension headers and fragments',
    look: 'hop-by-hop and destination options in the first connection, fragments in the others',
    how: 'headers inserted, the large packets cut into fragments of 976 bytes',
    derive: () => ethernet(sampleFrames('ipv6.pcap'), extendedIpv6),
  },
  {
    ...SHORT,
    file: 'sockdump.pcap',
    shows: 'a Unix socket, as sockdump writes it: link type USER0',
    look: "before each piece of data the process that it goes to and the one that it comes from, 8 bytes each, and nothing of connections: the web server sends to the process that listens (PHP-FPM's master), and the answer comes from a worker",
    how: 'the segments with data, behind the header that sockdump gives them',
    ports: [],
    connections: 1,
    derive: sockdump,
  },
];

function ethernet(frames: readonly Frame[], change: (frame: Frame) => readonly Uint8Array[]): Uint8Array {
  const packets = frames.flatMap((frame) =>
    change(frame).map((bytes) => ({ at: frame.at, bytes, originalLength: bytes.length })),
  );
  return writeCapture({ linkType: LINKTYPE.ethernet, packets });
}

function relinked(linkType: number, change: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  const packets = packetsOf(sampleFrames('short.pcap')).map((packet): CapturedPacket => {
    const bytes = change(packet.bytes);
    return { ...packet, bytes, originalLength: bytes.length };
  });
  return writeCapture({ linkType, packets });
}

/** Each packet gets a no-operation option, too, so that its header is longer than usual. */
function fragmentsIpv4({ bytes, connection }: Frame): Uint8Array[] {
  const options = Uint8Array.of(1, 1, 1, 0);
  const content = bytes.subarray(ETHERNET + IPV4_HEADER);
  const head = joined(bytes.subarray(0, ETHERNET + IPV4_HEADER), options);
  const pieces = pieceOffsets(content.length).map((from) => {
    const to = Math.min(from + FRAGMENT, content.length);
    const packet = joined(head, content.subarray(from, to));
    const view = viewOf(packet);
    view.setUint8(ETHERNET, 0x40 | ((IPV4_HEADER + options.length) / 4));
    view.setUint16(ETHERNET + 2, packet.length - ETHERNET);
    // Don't-fragment goes; loopback packets of one connection have identifications of their own.
    view.setUint16(ETHERNET + 6, (to < content.length ? MORE_FRAGMENTS : 0) | (from / 8));
    sealIpv4(view, ETHERNET, IPV4_HEADER + options.length);
    return packet;
  });
  return connection === 1 ? pieces.reverse() : pieces;
}

function extendedIpv6({ bytes, connection, at }: Frame): Uint8Array[] {
  const head = bytes.subarray(0, ETHERNET + IPV6_HEADER);
  const content = bytes.subarray(ETHERNET + IPV6_HEADER);
  // A PadN option fills each of the two headers' eight bytes.
  const options = (next: number) => Uint8Array.of(next, 0, 1, 4, 0, 0, 0, 0);
  if (connection === 0) {
    const extensions = joined(options(NEXT_HEADER.destination), options(NEXT_HEADER.tcp));
    return [ipv6(head, NEXT_HEADER.hopByHop, joined(extensions, content))];
  }
  if (content.length <= FRAGMENT) return [bytes];
  return pieceOffsets(content.length).map((from) => {
    const to = Math.min(from + FRAGMENT, content.length);
    const extension = new Uint8Array(8);
    const view = viewOf(extension);
    view.setUint8(0, NEXT_HEADER.tcp);
    view.setUint16(2, from | (to < content.length ? 1 : 0));
    view.setUint32(4, at % 0x1_0000_0000);
    return ipv6(head, NEXT_HEADER.fragment, joined(extension, content.subarray(from, to)));
  });
}

function ipv6(head: Uint8Array, nextHeader: number, content: Uint8Array): Uint8Array {
  const packet = joined(head, content);
  const view = viewOf(packet);
  view.setUint16(ETHERNET + 4, content.length);
  view.setUint8(ETHERNET + 6, nextHeader);
  return packet;
}

function pieceOffsets(length: number): number[] {
  return Array.from({ length: Math.max(1, Math.ceil(length / FRAGMENT)) }, (_, index) => index * FRAGMENT);
}

/** sockdump's default --seg-size, which it writes as the snap length. */
const SOCKDUMP_SNAP_LENGTH = 51_200;
const PROCESS = { nginx: 812, master: 640, firstWorker: 641 } as const;

function sockdump(): Uint8Array {
  const packets = sampleFrames('short.pcap')
    .filter(({ payload }) => payload.length > 0)
    .map(({ at, side, connection, payload }) => {
      const header = new Uint8Array(16);
      const view = viewOf(header);
      const [to, from] =
        side === 'client' ? [PROCESS.master, PROCESS.nginx] : [PROCESS.nginx, PROCESS.firstWorker + connection];
      view.setUint32(4, to);
      view.setUint32(12, from);
      const bytes = joined(header, payload);
      return { at, bytes, originalLength: bytes.length };
    });
  return writeCapture({ linkType: LINKTYPE.user0, packets, snapLength: SOCKDUMP_SNAP_LENGTH });
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}
