import type { ConnectFailure, ConnectionId, EndKind, Endpoint, Side } from './connection.js';
import type { SourceProgress } from './source-progress.js';
import type { Timestamp } from './time.js';

/**
 * Waist 1: what any source of traffic says. Per connection: one `open`, then `bytes` and `gap` in stream order for each side, then for
 * each side at most one `fin` and possibly a `reset` after it (a peer that half-closed may still reset). `failed` takes the place of
 * everything the server would have said. `note` is for people.
 */
export type ConnectionEvent =
  | {
      readonly kind: 'open';
      readonly connection: ConnectionId;
      readonly at: Timestamp;
      readonly client: Endpoint;
      readonly server: Endpoint;
      /** The source joined while the connection was under way: the first byte need not begin a record. */
      readonly midstream: boolean;
    }
  | {
      readonly kind: 'bytes';
      readonly connection: ConnectionId;
      readonly at: Timestamp;
      readonly side: Side;
      /** Borrowed: valid until the sink returns. Whoever keeps bytes copies them. */
      readonly bytes: Uint8Array;
      /** Where the bytes lie in the source's own file, or -1 when the source has none (a live proxy). */
      readonly origin: number;
    }
  | {
      readonly kind: 'gap';
      readonly connection: ConnectionId;
      readonly at: Timestamp;
      readonly side: Side;
      /** How many bytes of the stream are missing here; at least 1. */
      readonly length: number;
    }
  | {
      readonly kind: 'end';
      readonly connection: ConnectionId;
      readonly at: Timestamp;
      readonly side: Side;
      readonly how: EndKind;
    }
  | {
      readonly kind: 'failed';
      readonly connection: ConnectionId;
      readonly at: Timestamp;
      readonly failure: ConnectFailure;
    }
  | { readonly kind: 'note'; readonly connection: ConnectionId; readonly at: Timestamp; readonly text: string }
  /** The source has let go of the connection: nothing more will be said of it. */
  | { readonly kind: 'closed'; readonly connection: ConnectionId; readonly at: Timestamp };

export type ConnectionSink = (event: ConnectionEvent) => void;

/**
 * A source of traffic: the proxy, a capture file, a live interface. Traffic comes by itself from a live one; one with an end of its own is
 * driven by `advance`, so that nobody is given more than he can take.
 */
export interface CaptureSource {
  /** Where the source listens or reads from, in words, one entry each ("127.0.0.1:9001 → 127.0.0.1:9000"). */
  readonly description: readonly string[];
  /** Resolves when traffic can arrive. Rejects with an FcgiInspectError. */
  start(sink: ConnectionSink): Promise<void>;
  /**
   * Only of a source with an end: says some more, as much as takes a few milliseconds, and resolves to false when all is said (the last
   * events end and close what was open). Never called while a call is pending. Never rejects: what cannot be read is a warning, and the end.
   */
  advance?(): Promise<boolean>;
  /** Only of a source with an end. */
  readonly progress?: SourceProgress;
  /**
   * No new connections; resolves when the open ones have ended, at the latest when `grace` (ms) is over. `idle` says of a kept connection that
   * no request is open on it, so that it need not be waited for.
   */
  stop(grace: number, idle?: (connection: ConnectionId) => boolean): Promise<void>;
}
