import type { Party } from '../model/recognition.js';
import type { Timestamp } from '../model/time.js';
import { LATE_SYN_REACH } from './ended-flows.js';
import { type OrderedStreams, other } from './ordered-streams.js';
import { advanced, distance, REACH } from './sequence.js';
import type { StreamAssembler } from './stream-assembler.js';
import { ACK, type TcpHeader } from './tcp.js';

/**
 * Strategy: a RST counts where its number is the one that is due, as a receiver has it (RFC 5961, section 3.2). One that lies elsewhere
 * is somebody's guess, or the capture lacks what was sent before it: it is kept in doubt until its sender goes on, or nobody does.
 */

/** What a RST from `party` does; whether it refuses the connection, which is over then. */
export function takeReset(
  order: OrderedStreams,
  party: Party,
  initiator: Party | null,
  header: TcpHeader,
  at: Timestamp,
): boolean {
  const own = order.streams[party];
  const peer = order.streams[other(party)];
  const { sequence, flags } = header;
  const acknowledgement = (flags & ACK) === 0 ? null : header.acknowledgement;
  if (own.state === 'new' && initiator === other(party) && answersSyn(peer, acknowledgement)) {
    order.close();
    return true;
  }
  if (!isExpected(own, peer, sequence, acknowledgement)) {
    own.discard(0);
    return false;
  }
  if (own.state === 'new') own.join(sequence);
  else if (own.state === 'settling') own.settle();
  const { count } = order;
  // After a FIN: whatever waits before it will not be sent again.
  if (own.endKnown) order.reset(party, at);
  else if (own.isDue(sequence)) {
    own.endByReset(sequence, at, count, acknowledgement);
    const last = peer.waiting.at(-1);
    if (last !== undefined) peer.cover(advanced(last.sequence, last.bytes.length), count, at);
  } else own.doubtfulReset = { sequence, acknowledgement, at, count, heard: spoken(peer) };
  return false;
}

function answersSyn(peer: StreamAssembler, acknowledgement: number | null): boolean {
  if (acknowledgement === null || !peer.synSeen || peer.delivered) return false;
  return isNear(advanced(peer.initial, 1), acknowledgement);
}

/** Whether the number can be that of a reset in this connection. */
function isExpected(
  own: StreamAssembler,
  peer: StreamAssembler,
  sequence: number,
  acknowledgement: number | null,
): boolean {
  if (own.state === 'new') {
    if (own.acknowledged) return isNear(own.acked, sequence);
    return acknowledgement !== null && peer.state === 'open' && isNear(peer.next, acknowledgement);
  }
  if (!own.isNear(sequence)) return false;
  if (own.state === 'settling' || own.endKnown) return true;
  // It may answer an acknowledgement that was under way.
  const known = own.acknowledged && distance(own.acked, own.next) > 0 ? own.acked : own.next;
  return distance(sequence, known) <= LATE_SYN_REACH;
}

/** Up to where it is known that a party has spoken. */
function spoken(stream: StreamAssembler): number {
  const last = stream.waiting.at(-1);
  let end = last === undefined ? stream.next : advanced(last.sequence, last.bytes.length);
  if (stream.acknowledged && (stream.state === 'new' || distance(end, stream.acked) > 0)) end = stream.acked;
  return end;
}

function isNear(expected: number, sequence: number): boolean {
  return Math.abs(distance(expected, sequence)) <= REACH;
}
