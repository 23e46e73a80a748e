import type { ProxyRoute } from '../capture/proxy.js';

/** What is to be inspected, and how much of it is kept; survives the way into a worker thread. */
export type Work = ProxyWork | CaptureWork;

export interface ProxyWork extends Limits {
  readonly kind: 'proxy';
  readonly routes: readonly ProxyRoute[];
}

export interface CaptureWork extends Limits {
  readonly kind: 'capture';
  /** Paths, `-` for standard input. */
  readonly files: readonly string[];
  /** Null: FastCGI is found by content. */
  readonly ports: readonly number[] | null;
}

interface Limits {
  /** Paths of logs to be read beside the traffic. */
  readonly logs: readonly string[];
  /** Null: the default. */
  readonly maxRequests: number | null;
  readonly maxSpool: number | null;
}
