import type { Timestamp } from './time.js';

/** One end of a connection. An abstract Unix socket's path begins with '@'; an unnamed Unix peer has the empty path. */
export type Endpoint =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Connections are numbered from 1 in the order of their accept or first packet. */
export type ConnectionId = number;

/** The TCP role of a sender: the web server is the client, the FastCGI application the server. */
export type Side = 'client' | 'server';

/** How a side stopped sending. `timeout` and `capture-end`: nobody closed, we stopped looking. */
export type EndKind = 'fin' | 'reset' | 'timeout' | 'capture-end';

/** Why the upstream could not be reached. `errno` is the system's own name (ECONNREFUSED), `message` its words. */
export interface ConnectFailure {
  readonly reason: 'refused' | 'missing' | 'denied' | 'unreachable' | 'timed-out' | 'backlog-full' | 'other';
  readonly errno: string;
  readonly message: string;
}

export type EndedBy = 'web-server' | 'backend' | 'timeout' | 'capture-end';

/** What is known of one connection; the NDJSON `connection` object is made from it. */
export interface ConnectionSummary {
  readonly connection: ConnectionId;
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly at: Timestamp;
  /** The first side that stopped sending, how it did, when, and how many requests had begun. */
  readonly endedBy: EndedBy | null;
  readonly how: EndKind | null;
  readonly endedAt: Timestamp | null;
  readonly requests: number;
  readonly bytes: { readonly client: number; readonly server: number };
  readonly managementRecords: number;
  readonly problems: number;
  readonly failure: ConnectFailure | null;
  /** True when our own decoder failed: bytes were forwarded, nothing more is known. */
  readonly undecoded: boolean;
  /** What could not be passed on or recorded faithfully, in words ("the reset could not be passed on: …"). */
  readonly notes: readonly string[];
}

/** `127.0.0.1:9000`, `[::1]:9000`, `unix:/run/x.sock`, `unix:@name`, and `unix:` for an unnamed peer. */
export function formatEndpoint(endpoint: Endpoint): string {
  if (endpoint.kind === 'unix') return `unix:${endpoint.path}`;
  return endpoint.host.includes(':') ? `[${endpoint.host}]:${endpoint.port}` : `${endpoint.host}:${endpoint.port}`;
}
