import type { Socket } from 'node:net';
import { assertNever } from '../model/errors.js';
import {
  KEEP_CONN,
  MAX_CONNS,
  MAX_REQS,
  MPXS_CONNS,
  ProtocolStatus,
  RecordType,
  Role,
} from '../protocol/fastcgi/constants.js';
import { encodeEndRequest, encodeGetValuesResult, encodeUnknownType } from '../protocol/fastcgi/encoder.js';
import { decodePairs, type Pair } from '../protocol/fastcgi/name-value.js';
import type { RecordEvent } from '../protocol/fastcgi/record-event.js';
import { ApplicationRequest } from './application-request.js';
import { answer } from './pages.js';
import { Peer, PeerGone } from './peer.js';

/** What GET_VALUES is answered with (specification section 4.1), and kept to. */
const LIMIT_CONNECTIONS = 100;
const LIMIT_REQUESTS = 50;
const VARIABLES: readonly Pair[] = [
  [MAX_CONNS, String(LIMIT_CONNECTIONS)],
  [MAX_REQS, String(LIMIT_REQUESTS)],
  [MPXS_CONNS, '1'],
];

/** The application's end of one connection: gives records to the requests that they belong to, and closes when the web server wants it. */
export class ApplicationConnection {
  private readonly peer: Peer;
  /** Those between BEGIN_REQUEST and END_REQUEST, by id. */
  private readonly requests = new Map<number, ApplicationRequest>();
  /** The last BEGIN_REQUEST asked to keep the connection (section 5.1). */
  private keep = true;

  constructor(socket: Socket) {
    this.peer = new Peer(socket, 'client', {
      record: (event) => this.take(event),
      end: (how) => {
        if (how === 'reset') this.drop();
        // A web server may half-close after STDIN and take the whole answer; without a request, it has left.
        else if (this.requests.size === 0) this.peer.finish();
        else this.keep = false;
      },
    });
  }

  get closed(): Promise<void> {
    return this.peer.closed;
  }

  destroy(): void {
    this.drop();
  }

  private take(event: RecordEvent): void {
    if (this.peer.gone) return;
    switch (event.kind) {
      case 'begin-request':
        return this.begin(event.requestId, event.role, (event.flags & KEEP_CONN) !== 0);
      case 'stream':
        return this.requests.get(event.requestId)?.take(event.stream, event.bytes);
      case 'abort-request':
        return this.requests.get(event.requestId)?.abort();
      case 'management':
        return this.manage(event.type, event.bytes);
      case 'unrecognised':
        // Section 4.2 for management records; a stray type with a request id is ignored.
        if (event.requestId === 0) this.say(encodeUnknownType(event.type));
        return;
      case 'problem':
        if (!event.remark) this.drop();
        return;
      case 'end-request':
        // Not what a web server sends: like PHP-FPM, have nothing to do with it.
        return this.drop();
      default:
        return assertNever(event);
    }
  }

  private begin(id: number, role: number, keep: boolean): void {
    if (this.requests.has(id)) return this.drop();
    this.keep = keep;
    const refusal =
      role < Role.RESPONDER || role > Role.FILTER
        ? ProtocolStatus.UNKNOWN_ROLE
        : this.requests.size >= LIMIT_REQUESTS
          ? ProtocolStatus.OVERLOADED
          : null;
    if (refusal !== null) {
      this.say(encodeEndRequest(id, 0, refusal));
      if (!keep && this.requests.size === 0) this.peer.finish();
      return;
    }
    const request = new ApplicationRequest(id, role, this.peer);
    this.requests.set(id, request);
    answer(request)
      .catch((error: unknown) => {
        // The peer has gone or the request was torn down; anything else is our own mistake and must be seen.
        if (!(error instanceof PeerGone)) throw error;
      })
      .finally(() => {
        this.requests.delete(id);
        if (!this.keep && this.requests.size === 0) this.peer.finish();
      });
  }

  private manage(type: 'get-values' | 'get-values-result' | 'unknown-type', bytes: Uint8Array): void {
    if (type === 'get-values') {
      const wanted = decodePairs(bytes).params.map((param) => param.name);
      this.say(encodeGetValuesResult(VARIABLES.filter(([name]) => wanted.includes(String(name)))));
    } else {
      this.say(encodeUnknownType(type === 'unknown-type' ? RecordType.UNKNOWN_TYPE : RecordType.GET_VALUES_RESULT));
    }
  }

  /** Short answers, that nobody waits for. */
  private say(bytes: Uint8Array): void {
    this.peer.send(bytes).catch(() => {});
  }

  private drop(): void {
    for (const request of this.requests.values()) request.drop();
    this.peer.destroy();
  }
}
