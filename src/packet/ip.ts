import { u16, u32 } from '../model/bytes.js';

/**
 * Strategy: IPv4 (RFC 791) and IPv6 (RFC 8200) headers down to what they carry. Lengths come from the IP header, not from the packet: an
 * Ethernet frame pads short ones. Only when the header's length is 0, as segmentation offload leaves it, the packet's end counts.
 */

export const PROTOCOL_TCP = 6;

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const FRAGMENT_UNIT = 8;

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION_OPTIONS = 60;
const MOBILITY = 135;
/** More extension headers than RFC 8200 names are somebody's joke. */
const EXTENSION_LIMIT = 16;

/** What an IP packet carries; filled again for each packet. */
export interface IpPart {
  version: 4 | 6;
  /** Where the addresses are, 4 or 16 bytes each. */
  source: number;
  destination: number;
  /** The protocol of the payload. Of a fragment of IPv6 it may be an extension header's. */
  protocol: number;
  /** The captured part of the payload. */
  start: number;
  end: number;
  /** How long the payload was on the wire. */
  length: number;
  fragment: boolean;
  /** Of fragments: the payload's place in the whole, whether more follow, and what they have in common. */
  fragmentOffset: number;
  moreFragments: boolean;
  identification: number;
}

/**
 * Reads the header at `at`. `end` is where the captured part ends, `wireEnd` where the packet ended on the wire. `short`: the captured
 * part ends within the headers. `malformed`: they contradict themselves.
 */
export type IpVerdict = 'ok' | 'short' | 'malformed';

export function readIpv4(bytes: Uint8Array, at: number, end: number, wireEnd: number, into: IpPart): IpVerdict {
  if (at + IPV4_HEADER > end) return 'short';
  const first = bytes[at]!;
  const header = (first & 0x0f) * 4;
  const total = u16(bytes, at + 2);
  if (first >> 4 !== 4 || header < IPV4_HEADER || (total !== 0 && total < header)) return 'malformed';
  if (at + header > end) return 'short';
  const packetEnd = total === 0 ? wireEnd : at + total;
  const flags = u16(bytes, at + 6);
  into.version = 4;
  into.source = at + 12;
  into.destination = at + 16;
  into.protocol = bytes[at + 9]!;
  into.start = at + header;
  into.end = packetEnd < end ? packetEnd : end;
  into.length = packetEnd - into.start;
  into.moreFragments = (flags & 0x2000) !== 0;
  into.fragmentOffset = (flags & 0x1fff) * FRAGMENT_UNIT;
  into.fragment = (flags & 0x3fff) !== 0;
  into.identification = u16(bytes, at + 4);
  return into.length < 0 ? 'malformed' : 'ok';
}

export function readIpv6(bytes: Uint8Array, at: number, end: number, wireEnd: number, into: IpPart): IpVerdict {
  if (at + IPV6_HEADER > end) return 'short';
  if (bytes[at]! >> 4 !== 6) return 'malformed';
  const length = u16(bytes, at + 4);
  const packetEnd = length === 0 ? wireEnd : at + IPV6_HEADER + length;
  into.version = 6;
  into.source = at + 8;
  into.destination = at + 24;
  into.protocol = bytes[at + 6]!;
  into.start = at + IPV6_HEADER;
  into.end = packetEnd < end ? packetEnd : end;
  into.length = packetEnd - into.start;
  into.fragment = false;
  return skipExtensions(bytes, into);
}

/** Goes over extension headers from `into.start` on, until what they carry, or the part of it that a fragment is. */
export function skipExtensions(bytes: Uint8Array, into: IpPart): IpVerdict {
  for (let count = 0; count < EXTENSION_LIMIT; count += 1) {
    const at = into.start;
    const left = into.end - at;
    switch (into.protocol) {
      case HOP_BY_HOP:
      case ROUTING:
      case DESTINATION_OPTIONS:
      case MOBILITY:
      case AUTHENTICATION: {
        if (left < 2) return 'short';
        // The authentication header alone counts in words of 4 bytes, two less than it has (RFC 4302, section 2.2).
        const units = bytes[at + 1]!;
        const size = into.protocol === AUTHENTICATION ? (units + 2) * 4 : (units + 1) * 8;
        if (size > into.length) return 'malformed';
        if (size > left) return 'short';
        into.protocol = bytes[at]!;
        into.start += size;
        into.length -= size;
        break;
      }
      case FRAGMENT: {
        if (left < 8) return 'short';
        const place = u16(bytes, at + 2);
        into.protocol = bytes[at]!;
        into.fragmentOffset = place & 0xfff8;
        into.moreFragments = (place & 1) !== 0;
        into.identification = u32(bytes, at + 4);
        into.start += 8;
        into.length -= 8;
        if (into.length < 0) return 'malformed';
        // An atomic fragment is a whole packet (RFC 6946).
        if (into.fragmentOffset !== 0 || into.moreFragments) {
          into.fragment = true;
          return 'ok';
        }
        break;
      }
      default:
        return into.length < 0 ? 'malformed' : 'ok';
    }
  }
  return 'malformed';
}
