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
  readonly hash: number;
  /** Each address as four words, of IPv4 only the last is used. The first is that of the party 0, who sent the first packet. */
  readonly #words: Int32Array;
  readonly #ports: readonly [number, number];

  constructor(bytes: Uint8Array, ip: IpPart, tcp: TcpHeader) {
    this.version = ip.version;
    this.hash = hashOf(bytes, ip, tcp);
    this.#words = new Int32Array(8);
    if (ip.version === 4) {
      this.#words[3] = i32(bytes, ip.source);
      this.#words[7] = i32(bytes, ip.destination);
    } else {
      for (let i = 0; i < 4; i += 1) {
        this.#words[i] = i32(bytes, ip.source + 4 * i);
        this.#words[4 + i] = i32(bytes, ip.destination + 4 * i);
      }
    }
    this.#ports = [tcp.sourcePort, tcp.destinationPort];
  }

  /** Who of this connection sent the packet; -1 when it belongs to another connection. */
  sender(bytes: Uint8Array, ip: IpPart, tcp: TcpHeader): Party | -1 {
    if (ip.version !== this.version) return -1;
    const [first, second] = this.#ports;
    if (tcp.sourcePort === first && tcp.destinationPort === second) {
      if (this.#isAt(bytes, ip.source, 0) && this.#isAt(bytes, ip.destination, 4)) return 0;
    }
    if (tcp.sourcePort === second && tcp.destinationPort === first) {
      if (this.#isAt(bytes, ip.source, 4) && this.#isAt(bytes, ip.destination, 0)) return 1;
    }
    return -1;
  }

  endpoint(party: Party): Endpoint {
    const words = this.#words.subarray(4 * party, 4 * party + 4);
    const host = this.version === 4 ? ipv4Text(words[3]!) : ipv6Text(words);
    return { kind: 'tcp', host, port: this.#ports[party] };
  }

  #isAt(bytes: Uint8Array, at: number, word: 0 | 4): boolean {
    const words = this.#words;
    if (this.version === 4) return i32(bytes, at) === words[word + 3];
    return (
      i32(bytes, at + 12) === words[word + 3] &&
      i32(bytes, at + 8) === words[word + 2] &&
      i32(bytes, at + 4) === words[word + 1] &&
      i32(bytes, at) === words[word]
    );
  }
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

function ipv4Text(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 0xff}.${(word >>> 8) & 0xff}.${word & 0xff}`;
}

/** RFC 5952: the longest run of zero groups, of two or more, the first of equals, is left out. */
function ipv6Text(words: Int32Array): string {
  if (words[0] === 0 && words[1] === 0 && words[2] === 0xffff) return `::ffff:${ipv4Text(words[3]!)}`;
  const groups: number[] = [];
  for (const word of words) groups.push(word >>> 16, word & 0xffff);
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
