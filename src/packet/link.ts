import { u16, u32 } from '../model/bytes.js';

/**
 * Strategy: where in a packet the network layer begins and which one it is, said as an EtherType, because most link layers do. The
 * result is written into an object of the caller: this runs for every packet.
 */

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_IPV6 = 0x86dd;

/** The LINKTYPE_ numbers that are understood (https://www.tcpdump.org/linktypes.html). */
const LINKTYPE_NULL = 0;
const LINKTYPE_ETHERNET = 1;
const LINKTYPE_RAW_BSD = 12;
const LINKTYPE_RAW_OPENBSD = 14;
const LINKTYPE_RAW = 101;
const LINKTYPE_LOOP = 108;
const LINKTYPE_LINUX_SLL = 113;
const LINKTYPE_USER0 = 147;
const LINKTYPE_IPV4 = 228;
const LINKTYPE_IPV6 = 229;
const LINKTYPE_LINUX_SLL2 = 276;

const ETHERNET_HEADER = 14;
const SLL_HEADER = 16;
const SLL2_HEADER = 20;
const NULL_HEADER = 4;
const VLAN_TAG = 4;
/** 802.1Q, 802.1ad, and what was used before 802.1ad. */
const VLAN_TYPES: ReadonlySet<number> = new Set([0x8100, 0x88a8, 0x9100, 0x9200]);
/** Nobody nests more; a packet made of tags alone is not searched to its end. */
const VLAN_LIMIT = 8;

const AF_INET = 2;
/** Linux, NetBSD and OpenBSD, FreeBSD, Darwin: AF_INET6 is another number everywhere. */
const AF_INET6: ReadonlySet<number> = new Set([10, 24, 28, 30]);

export interface LinkPart {
  /** The EtherType of what is inside; of `other` whatever the link layer calls it. */
  type: number;
  /** Where that begins. */
  at: number;
}

/**
 * `network`: `into` says what and where. `unix`: a message over a Unix socket in sockdump's layout begins at `at`. `short`: the captured
 * part ends within the link layer. `unknown`: a link type that is not understood.
 */
export type LinkVerdict = 'network' | 'unix' | 'short' | 'unknown';

export function readLink(linkType: number, bytes: Uint8Array, start: number, end: number, into: LinkPart): LinkVerdict {
  switch (linkType) {
    case LINKTYPE_ETHERNET:
      return tagged(bytes, start + ETHERNET_HEADER, start + 12, end, into);
    case LINKTYPE_LINUX_SLL:
      return tagged(bytes, start + SLL_HEADER, start + 14, end, into);
    case LINKTYPE_LINUX_SLL2:
      return tagged(bytes, start + SLL2_HEADER, start, end, into);
    case LINKTYPE_RAW:
    case LINKTYPE_RAW_BSD:
    case LINKTYPE_RAW_OPENBSD:
    case LINKTYPE_IPV4:
    case LINKTYPE_IPV6:
      return raw(bytes, start, end, into);
    case LINKTYPE_NULL:
    case LINKTYPE_LOOP:
      return family(bytes, start, end, into);
    case LINKTYPE_USER0:
      into.at = start;
      return 'unix';
    default:
      return 'unknown';
  }
}

/** The EtherType at `typeAt`, the payload at `at`, with VLAN tags between the two, if any. */
function tagged(bytes: Uint8Array, at: number, typeAt: number, end: number, into: LinkPart): LinkVerdict {
  if (at > end) return 'short';
  let type = u16(bytes, typeAt);
  let payload = at;
  for (let tags = 0; tags < VLAN_LIMIT && VLAN_TYPES.has(type); tags += 1) {
    if (payload + VLAN_TAG > end) return 'short';
    type = u16(bytes, payload + 2);
    payload += VLAN_TAG;
  }
  into.type = type;
  into.at = payload;
  return 'network';
}

function raw(bytes: Uint8Array, start: number, end: number, into: LinkPart): LinkVerdict {
  if (start >= end) return 'short';
  const version = bytes[start]! >> 4;
  into.type = version === 4 ? ETHERTYPE_IPV4 : version === 6 ? ETHERTYPE_IPV6 : 0;
  into.at = start;
  return 'network';
}

/** A protocol family of 4 bytes, of NULL in the order of the machine that captured, whichever that was. All families are below 2**16. */
function family(bytes: Uint8Array, start: number, end: number, into: LinkPart): LinkVerdict {
  if (start + NULL_HEADER > end) return 'short';
  const big = u32(bytes, start);
  const value = big < 0x1_0000 ? big : bytes[start]! | (bytes[start + 1]! << 8);
  into.type = value === AF_INET ? ETHERTYPE_IPV4 : AF_INET6.has(value) ? ETHERTYPE_IPV6 : 0;
  into.at = start + NULL_HEADER;
  return 'network';
}
