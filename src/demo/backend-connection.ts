import { connect, type Socket } from 'node:net';
import { NO_BYTES } from '../model/bytes.js';
import type { Endpoint } from '../model/connection.js';
import { KEEP_CONN, Role } from '../protocol/fastcgi/constants.js';
import { encodeBeginRequest, encodeParams, encodeStream } from '../protocol/fastcgi/encoder.js';
import type { Pair } from '../protocol/fastcgi/name-value.js';
import type { RecordEvent } from '../protocol/fastcgi/record-event.js';
import { Peer, PeerGone } from './peer.js';
import { socketAddress } from './socket-address.js';

/** A request as the web-server side sends it. */
export interface RequestPlan {
  /** 1 unless told. Free again once the request has ended. */
  readonly id?: number;
  readonly role?: number;
  readonly keep?: boolean;
  readonly params: readonly Pair[];
  readonly stdin?: Uint8Array;
  /** For a filter. */
  readonly data?: Uint8Array;
}

/** What came back. Streams are cut at ANSWER_KEPT bytes; the lengths are whole. */
export interface Answer {
  readonly stdout: string;
  readonly stdoutLength: number;
  readonly stderr: string;
  /** Null: the connection ended first, as `how` says. */
  readonly end: { readonly appStatus: number; readonly protocolStatus: number } | null;
  readonly how: 'end-request' | 'fin' | 'reset';
}

export const ANSWER_KEPT = 64 * 1024;
/** nginx's largest STDIN record, and its alignment. */
const STDIN_LENGTH = 32_768;
const ALIGNMENT = 8;

/** The web server's end of one connection. Several requests may be under way, told apart by their ids. */
export class BackendConnection {
  private readonly open = new Map<number, PendingAnswer>();
  private ended: 'fin' | 'reset' | null = null;
  /** The names and values of the GET_VALUES_RESULT that is waited for. */
  private values: ((bytes: Uint8Array) => void) | null = null;
  readonly peer: Peer;

  constructor(socket: Socket) {
    this.peer = new Peer(socket, 'server', {
      record: (event) => this.take(event),
      end: (how) => {
        this.ended = how;
        for (const id of [...this.open.keys()]) this.settle(id, how, null);
        this.values?.(NO_BYTES);
        this.peer.finish();
      },
    });
  }

  /** Rejects with the system's error. */
  static async open(address: Endpoint): Promise<BackendConnection> {
    const socket = connect({ ...socketAddress(address), allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new BackendConnection(socket);
  }

  /** Sends a whole request, as nginx does in as few segments as it takes. */
  async request(plan: RequestPlan): Promise<Answer> {
    const answer = this.expect(plan.id ?? 1);
    for (const part of requestRecords(plan)) await this.send(part);
    return answer;
  }

  /** What the application says of a request whose records the caller sends itself. Never rejects. */
  expect(id: number): Promise<Answer> {
    return new Promise((resolve) => {
      this.open.set(id, new PendingAnswer(resolve));
      if (this.ended !== null) this.settle(id, this.ended, null);
    });
  }

  /** Does not mind when the connection has ended: the answer says so. */
  async send(bytes: Uint8Array): Promise<void> {
    try {
      await this.peer.send(bytes);
    } catch (error) {
      if (!(error instanceof PeerGone)) throw error;
    }
  }

  /** The content of the next GET_VALUES_RESULT; empty when the connection ends first. */
  managementAnswer(): Promise<Uint8Array> {
    return new Promise((resolve) => {
      if (this.ended !== null) return resolve(NO_BYTES);
      this.values = resolve;
    });
  }

  /** Resolves when the first STDOUT bytes of a request under way have come, or it has ended without. */
  async firstOutput(id: number): Promise<void> {
    await this.open.get(id)?.begun;
  }

  /** Resolves when the connection is closed on both sides. */
  async close(): Promise<void> {
    this.peer.finish();
    await this.peer.closed;
  }

  private take(event: RecordEvent): void {
    if (event.kind === 'stream') this.open.get(event.requestId)?.take(event.stream, event.bytes);
    else if (event.kind === 'end-request') {
      const { appStatus, protocolStatus } = event;
      this.settle(event.requestId, 'end-request', { appStatus, protocolStatus });
    } else if (event.kind === 'management' && event.type === 'get-values-result') {
      this.values?.(event.bytes.slice());
      this.values = null;
    } else if (event.kind === 'problem' && !event.remark) this.peer.destroy();
  }

  private settle(id: number, how: Answer['how'], end: Answer['end']): void {
    const pending = this.open.get(id);
    this.open.delete(id);
    pending?.settle(how, end);
  }
}

/** BEGIN_REQUEST with PARAMS, then STDIN and DATA piece by piece; each piece is whole records. */
export function* requestRecords(plan: RequestPlan): Generator<Uint8Array> {
  const { id = 1, role = Role.RESPONDER, keep = false, params, stdin, data } = plan;
  const layout = { alignment: ALIGNMENT };
  yield encodeBeginRequest(id, role, keep ? KEEP_CONN : 0);
  yield encodeParams(id, params, layout);
  // An authorizer has no STDIN, only a filter has DATA (specification sections 6.3 and 6.4).
  if (role !== Role.AUTHORIZER) yield* pieces('stdin', id, stdin);
  if (role === Role.FILTER) yield* pieces('data', id, data);
}

function* pieces(stream: 'stdin' | 'data', id: number, content: Uint8Array = NO_BYTES): Generator<Uint8Array> {
  for (let at = 0; at < content.length; at += STDIN_LENGTH) {
    const part = content.subarray(at, at + STDIN_LENGTH);
    yield encodeStream(stream, id, part, { alignment: ALIGNMENT, close: false });
  }
  yield encodeStream(stream, id, NO_BYTES);
}

class PendingAnswer {
  readonly begun: Promise<void>;
  private begin: () => void = () => {};
  private readonly stdout = new Kept();
  private readonly stderr = new Kept();

  constructor(private readonly resolve: (answer: Answer) => void) {
    this.begun = new Promise((begin) => {
      this.begin = begin;
    });
  }

  take(stream: string, bytes: Uint8Array): void {
    if (stream === 'stdout') {
      this.stdout.add(bytes);
      this.begin();
    } else if (stream === 'stderr') this.stderr.add(bytes);
  }

  settle(how: Answer['how'], end: Answer['end']): void {
    this.begin();
    this.resolve({
      stdout: this.stdout.text(),
      stdoutLength: this.stdout.length,
      stderr: this.stderr.text(),
      end,
      how,
    });
  }
}

class Kept {
  length = 0;
  private readonly parts: Uint8Array[] = [];

  add(bytes: Uint8Array): void {
    if (this.length < ANSWER_KEPT) this.parts.push(bytes.slice(0, ANSWER_KEPT - this.length));
    this.length += bytes.length;
  }

  text(): string {
    return new TextDecoder().decode(Buffer.concat(this.parts));
  }
}
