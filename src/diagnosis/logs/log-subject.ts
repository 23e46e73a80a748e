import type { Endpoint } from '../../model/connection.js';
import type { Exchange } from '../../model/exchange.js';
import { paramValue } from '../../model/param-value.js';
import type { Timestamp } from '../../model/time.js';

/** A request, as a log line may speak of it. */
export interface LogSubject {
  readonly n: number;
  readonly begin: Timestamp;
  /** Null while it is open. */
  readonly end: Timestamp | null;
  readonly method: string | null;
  /** Path and query in all the ways in which a log may write them. */
  readonly targets: ReadonlySet<string>;
  readonly scripts: ReadonlySet<string>;
  readonly host: string | null;
  /** The web server's client. */
  readonly client: string | null;
  readonly clientPort: number | null;
  /** Who connected to the backend. */
  readonly peer: string | null;
  readonly peerPort: number | null;
  /** The backend's address, and where else it is reached (through the proxy). */
  readonly backends: readonly Endpoint[];
  /** Ids of its findings. */
  readonly findings: readonly string[];
}

/** @param aliases addresses under which the web server knows the backend */
export function logSubject(exchange: Exchange, findings: readonly string[], aliases: readonly Endpoint[]): LogSubject {
  const { n, times, method, url, script, client, server, params } = exchange;
  const port = Number(paramValue(params, 'REMOTE_PORT') ?? '');
  return {
    n,
    begin: times.begin,
    end: exchange.outcome === null ? null : (times.end ?? times.begin),
    method,
    targets: targetsOf(exchange, url),
    scripts: new Set([script, paramValue(params, 'SCRIPT_NAME')].filter((path) => path !== null && path !== undefined)),
    host: paramValue(params, 'HTTP_HOST') ?? null,
    client: paramValue(params, 'REMOTE_ADDR') ?? null,
    clientPort: Number.isInteger(port) && port > 0 ? port : null,
    peer: client.kind === 'tcp' ? client.host : null,
    peerPort: client.kind === 'tcp' ? client.port : null,
    backends: [server, ...aliases],
    findings,
  };
}

function targetsOf({ params }: Exchange, url: string | null): ReadonlySet<string> {
  const query = paramValue(params, 'QUERY_STRING') ?? '';
  const name = paramValue(params, 'SCRIPT_NAME') ?? '';
  const paths = [name, name + (paramValue(params, 'PATH_INFO') ?? ''), paramValue(params, 'DOCUMENT_URI') ?? ''];
  const uris = [
    paramValue(params, 'REQUEST_URI') ?? '',
    url === null ? '' : url.replace(/^[a-z][a-z0-9+.-]{0,30}:\/\/[^/?]*/i, ''),
    ...paths.map((path) => (query === '' ? path : `${path}?${query}`)),
  ];
  const targets = new Set<string>();
  for (const uri of uris) {
    if (!uri.startsWith('/')) continue;
    targets.add(plain(uri));
    // lighttpd writes paths decoded.
    targets.add(plain(decoded(uri)));
  }
  return targets;
}

/** Some write the question mark whether there is a query or not. */
function plain(uri: string): string {
  return uri.endsWith('?') ? uri.slice(0, -1) : uri;
}

function decoded(uri: string): string {
  try {
    return decodeURIComponent(uri);
  } catch {
    return uri;
  }
}
