import { LogFollower, readLog } from '../capture/log-file.js';
import type { ProxyRoute } from '../capture/proxy.js';
import { type Endpoint, formatEndpoint } from '../model/connection.js';
import type { Timestamp } from '../model/time.js';
import { LogBook } from '../session/log-book.js';
import type { Session } from '../session/session.js';

/**
 * For the logs that are followed beside a proxy: the web server knows the backend by the proxy's address.
 * @param endpoints where it listens, in the order of the routes; asked when it does
 */
export function liveLogBook(routes: readonly ProxyRoute[], endpoints: () => readonly Endpoint[]): LogBook {
  return new LogBook({
    isLive: true,
    aliases: (server) => {
      const upstream = formatEndpoint(server);
      return endpoints().filter((_, i) => formatEndpoint(routes[i]!.upstream) === upstream);
    },
  });
}

/** Follows logs into a session for as long as its thread lives. */
export async function followLogs(paths: readonly string[], session: Session, clock: () => Timestamp): Promise<void> {
  const warn = (text: string): void => session.warn(text);
  await Promise.all(
    paths.map((path) => new LogFollower(path, (text) => session.log(path, null, text, clock()), warn).start()),
  );
}

/**
 * Whole logs beside a capture.
 * @throws FcgiInspectError when one cannot be read
 */
export async function readLogs(paths: readonly string[]): Promise<LogBook> {
  const book = new LogBook({ isLive: false, aliases: () => [] });
  for (const path of paths) await readLog(path, (text, line) => book.add(path, line, text, null));
  return book;
}
