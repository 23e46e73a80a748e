import type { Endpoint } from '../model/connection.js';
import type { Party } from '../model/recognition.js';
import type { IpPart } from './ip.js';
import { i32, type TcpHeader } from './tcp.js';

/**
 * Strategy: the two addresses and ports that a connection is known by, as numbers, so that finding it makes no objects. The hash is the
 * same in both directions.
 */
export class FlowAddress {
  readonly version: 4 | 6;
  /** As hashOf said. */
  readonly hash: number;
  /** Each address as four words, of IPv4 only the last is used. The first is that of the party 0, who sent the first packet. */
  readonly #first: Words;
  readonly #second: Words;
  readonly #firstPort: number;
  readonly #secondPort: number;

  constructor(bytes: Uint8Array, ip: IpPart, tcp: TcpHeader, hash: number) {
    this.version = ip.version;
    this.hash = hash;
    this.#first = wordsOf(bytes, ip.source, ip.version);
    this.#second = wordsOf(bytes, ip.destination, ip.version);
    this.#firstPort = tcp.sourcePort;
    this.#secondPort = tcp.destinationPort;
  }

  /** Who of this connection sent the packet; -1 when it belongs to another connection. */
  sender(bytes: Uint8Array, ip: IpPart, tcp: TcpHeader): Party | -1 {
    if (ip.version !== this.version) return -1;
    if (tcp.sourcePort === this.#firstPort && tcp.destinationPort === this.#secondPort) {
      if (isAt(this.#first, bytes, ip.source, ip.version) && isAt(this.#second, bytes, ip.destination, ip.version)) {
        return 0;
      }
    }
    if (tcp.sourcePort === this.#secondPort && tcp.destinationPort === this.#firstPort) {
      if (isAt(this.#second, bytes, ip.source, ip.version) && isAt(this.#first, bytes, ip.destination, ip.version)) {
        return 1;
      }
    }
    return -1;
  }

  port(party: Party): number {
    return party === 0 ? this.#firstPort : this.#secondPort;
  }

  endpoint(party: Party): Endpoint {
    const words = party === 0 ? this.#first : this.#second;
    const host = this.version === 4 ? ipv4Text(words) : ipv6Text(words);
    return { kind: 'tcp', host, port: this.port(party) };
  }
}

/** An address of IPv4 as a number, one of IPv6 as four. */
type Words = number | readonly [number, number, number, number];

function wordsOf(bytes: Uint8Array, at: number, version: 4 | 6): Words {
  if (version === 4) return i32(bytes, at);
  return [i32(bytes, at), i32(bytes, at + 4), i32(bytes, at + 8), i32(bytes, at + 12)];
}

function isAt(words: Words, bytes: Uint8Array, at: number, version: 4 | 6): boolean {
  if (version === 4) return i32(bytes, at) === words;
  const [a, b, c, d] = words as readonly [number, number, number, number];
  return i32(bytes, at + 12) === d && i32(bytes, at + 8) === c && i32(bytes, at + 4) === b && i32(bytes, at) === a;
}

/** A small integer, so that a Map finds it fast; the same for a packet and the answer to it. */
export function hashOf(bytes: Uint8Array, ip: IpPart, tcp: TcpHeader): number {
  const sent = mixed(folded(bytes, ip.source, ip.version), tcp.sourcePort);
  const received = mixed(folded(bytes, ip.destination, ip.version), tcp.destinationPort);
  return (sent + received) & 0x3fff_ffff;
}

function folded(bytes: Uint8Array, at: number, version: 4 | 6): number {
  if (version === 4) return i32(bytes, at);
  let word = 0;
  for (let i = 0; i < 16; i += 4) word = Math.imul(word ^ i32(bytes, at + i), 0x9e37_79b1);
  return word;
}

function mixed(address: number, port: number): number {
  let value = Math.imul(address ^ Math.imul(port, 0x9e37_79b1), 0x85eb_ca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2_ae35);
  return value ^ (value >>> 16);
}

function ipv4Text(words: Words): string {
  const word = words as number;
  return `${word >>> 24}.${(word >>> 16) & 0xff}.${(word >>> 8) & 0xff}.${word & 0xff}`;
}

/** RFC 5952: the longest run of zero groups, of two or more, the first of equals, is left out. */
function ipv6Text(words: Words): string {
  const [a, b, c, d] = words as readonly [number, number, number, number];
  if (a === 0 && b === 0 && c === 0xffff) return `::ffff:${ipv4Text(d)}`;
  const groups = [a, b, c, d].flatMap((word) => [word >>> 16, word & 0xffff]);
  let [longest, length] = [-1, 1];
  for (let i = 0; i < 8; i += 1) {
    let run = 0;
    while (i + run < 8 && groups[i + run] === 0) run += 1;
    if (run > length) [longest, length] = [i, run];
  }
  const text = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  if (longest < 0) return text(groups);
  return `${text(groups.slice(0, longest))}::${text(groups.slice(longest + length))}`;
}
