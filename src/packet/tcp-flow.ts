import type { Endpoint } from '../model/connection.js';
import type { Party } from '../model/recognition.js';
import type { Timestamp } from '../model/time.js';
import type { FlowAddress } from './flow-address.js';
import type { Indexed } from './flow-index.js';
import { other, type WaitingBudget } from './ordered-streams.js';
import { type ConversationTarget, TcpConversation } from './tcp-conversation.js';
import { type ConnectionDesk, type Parties, TrackedConnection } from './tracked-connection.js';

/**
 * Strategy: one TCP connection between two addresses: its streams, and what is made of them. It answers who its parties are, from the
 * SYN and the ports.
 */
export class TcpFlow implements Indexed<TcpFlow>, Parties, ConversationTarget {
  readonly address: FlowAddress;
  readonly wanted: boolean;
  readonly expectedServer: Party | null;
  readonly conversation: TcpConversation;
  readonly #connection: TrackedConnection;
  chained: TcpFlow | null = null;
  /** `foreign`: it is only watched for its end. */
  state: 'live' | 'foreign' | 'over' = 'live';
  /** The capture's clock at its last packet. */
  lastAt: Timestamp;
  /** Which of the parties of a foreign connection have sent a FIN. */
  finished = 0;

  constructor(
    desk: ConnectionDesk,
    budget: WaitingBudget,
    address: FlowAddress,
    expectedServer: Party | null,
    wanted: boolean,
    at: Timestamp,
    now: Timestamp,
  ) {
    this.address = address;
    this.expectedServer = expectedServer;
    this.wanted = wanted;
    this.lastAt = now;
    this.conversation = new TcpConversation(this, budget);
    this.#connection = new TrackedConnection(desk, this, at);
  }

  get shown(): boolean {
    return this.#connection.shown;
  }

  get client(): Party {
    return this.#connection.client;
  }

  get initiator(): Party | null {
    return this.conversation.initiator;
  }

  endpoint(party: Party): Endpoint {
    return this.address.endpoint(party);
  }

  fromStart(party: Party): boolean {
    if (this.conversation.fromStart(party)) return true;
    return !this.conversation.seen(party) && this.conversation.fromStart(other(party));
  }

  bytes(party: Party, bytes: Uint8Array, from: number, to: number, at: Timestamp, origin: number): void {
    this.#connection.bytes(party, bytes, from, to, at, origin);
    this.#look();
  }

  gap(party: Party, length: number, at: Timestamp): void {
    this.#connection.gap(party, length, at);
    this.#look();
  }

  end(party: Party, how: 'fin' | 'reset', at: Timestamp): void {
    this.#connection.end(party, how, at);
    this.#look();
  }

  discarded(segments: number, bytes: number): void {
    this.#connection.discarded(segments, bytes);
  }

  refused(at: Timestamp): void {
    this.#connection.fail({ reason: 'refused', errno: 'ECONNREFUSED', message: 'connection refused' }, at);
  }

  /** Everything that can be said has been: the connection is closed. With `how`, the sides that have not ended end so. */
  close(at: Timestamp, how: 'timeout' | 'capture-end' | null): void {
    if (this.state === 'over') return;
    if (this.state === 'live') {
      this.conversation.passOver();
      if (how !== null) {
        if (this.conversation.unanswered) {
          const message = 'no answer to the SYN was seen';
          this.#connection.fail({ reason: 'timed-out', errno: 'ETIMEDOUT', message }, at);
          this.#connection.close(at, null);
        } else this.conversation.flush();
      }
      // What was flushed may have ended with a reset, which ends both sides.
      this.#connection.close(at, this.conversation.over ? null : how);
    }
    this.state = 'over';
    this.conversation.abandon();
  }

  note(text: string, at: Timestamp): void {
    this.#connection.note(text, at);
  }

  /** Nobody wants the streams of a connection that speaks something else. */
  #look(): void {
    if (!this.#connection.foreign || this.state !== 'live') return;
    this.state = 'foreign';
    this.conversation.abandon();
  }
}
