import { isIP } from 'node:net';
import { getSystemErrorMap } from 'node:util';
import { type ConnectFailure, type Endpoint, formatEndpoint } from '../model/connection.js';
import { hostName } from './host-name.js';
import { connectTcp, connectUnix, type StreamHandle } from './stream-handle.js';

/** After this long without an answer a dial is given up. The kernel itself would go on for two minutes; no web server waits as long. */
export const DIAL_TIMEOUT = 60_000;

/** A connection attempt under way. */
export interface Dial {
  /** Gives it up; `done` is not called any more. */
  cancel(): void;
}

/**
 * Connects to an endpoint. A host name is looked up each time (host-name.ts), and its addresses are tried in turn. `done` gets the connected handle, not yet reading, or why there is none; never before `dial` returns.
 */
export function dial(endpoint: Endpoint, done: (result: StreamHandle | ConnectFailure) => void): Dial {
  let handle: StreamHandle | null = null;
  let forget: (() => void) | null = null;
  let over = false;
  const timer = setTimeout(
    () => conclude(fail('timed-out', 'ETIMEDOUT', `no answer within ${DIAL_TIMEOUT / 1000} s`)),
    DIAL_TIMEOUT,
  );

  const conclude = (result: StreamHandle | ConnectFailure): void => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    forget?.();
    if ('reason' in result) handle?.close();
    done(result);
  };
  const fail = (reason: ConnectFailure['reason'], errno: string, words: string): ConnectFailure => ({
    reason,
    errno,
    message: `connect to ${formatEndpoint(endpoint)} failed: ${words}`,
  });
  const answered = (status: number, next: (() => void) | null): void => {
    if (over) return;
    if (status === 0) return conclude(handle!);
    if (next) {
      handle?.close();
      handle = null;
      return next();
    }
    const [errno, words] = getSystemErrorMap().get(status) ?? ['UNKNOWN', `error ${status}`];
    conclude(fail(REASONS[errno] ?? 'other', errno, words));
  };

  const dialTcp = (addresses: readonly string[], port: number): void => {
    const [address, ...rest] = addresses;
    const next = rest.length > 0 ? () => dialTcp(rest, port) : null;
    handle = connectTcp(address!, port, (status) => answered(status, next));
  };

  if (endpoint.kind === 'unix') {
    handle = connectUnix(endpoint.path.replace(/^@/, '\0'), (status) => answered(status, null));
  } else if (isIP(endpoint.host) !== 0) {
    dialTcp([endpoint.host], endpoint.port);
  } else {
    forget = hostName(endpoint.host).addresses((error, addresses) => {
      if (over) return;
      if (error)
        return conclude(fail('unreachable', error.code ?? 'ENOTFOUND', `the name ${endpoint.host} has no address`));
      dialTcp(addresses, endpoint.port);
    });
  }

  return {
    cancel() {
      if (over) return;
      over = true;
      clearTimeout(timer);
      forget?.();
      handle?.close();
    },
  };
}

const REASONS: Readonly<Record<string, ConnectFailure['reason']>> = {
  ECONNREFUSED: 'refused',
  ENOENT: 'missing',
  ENOTSOCK: 'missing',
  EACCES: 'denied',
  EPERM: 'denied',
  ENETUNREACH: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ETIMEDOUT: 'timed-out',
  EAGAIN: 'backlog-full',
};
