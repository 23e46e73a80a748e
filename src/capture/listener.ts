import { lookup } from 'node:dns/promises';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdtempSync,
  renameSync,
  rmdirSync,
  type Stats,
  statSync,
  unlinkSync,
} from 'node:fs';
import { isIP } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { type Endpoint, formatEndpoint } from '../model/connection.js';
import { FcgiInspectError } from '../model/errors.js';
import { dial } from './dial.js';
import { bindTcp, bindUnix, type ServerHandle, type SocketName, type StreamHandle } from './stream-handle.js';

/** As many as the kernel allows by default (net.core.somaxconn): a burst waits here as it would wait at the backend. */
const BACKLOG = 4096;

/** A listening socket. `endpoint` is the real one: with port 0 the port that the system chose. */
export interface Listener {
  readonly endpoint: Endpoint;
  close(): void;
}

/**
 * Listens and hands each accepted connection over, not yet reading.
 *
 * A Unix socket gets the mode and owner of the upstream's, when that is a Unix socket too, so that the web server that could reach the
 * one can reach the other; in front of a TCP upstream it is open to all local users, as the port behind it is.
 *
 * @throws FcgiInspectError when the address cannot be had
 */
export async function listen(
  endpoint: Endpoint,
  upstream: Endpoint,
  accept: (client: StreamHandle) => void,
  complain: (text: string) => void,
): Promise<Listener> {
  if (endpoint.kind === 'unix' && !endpoint.path.startsWith('@')) {
    checkDirectory(endpoint);
    await clearStaleSocket(endpoint.path);
  }
  const handle =
    endpoint.kind === 'unix'
      ? bindUnix(endpoint.path.replace(/^@/, '\0'))
      : bindTcp(await address(endpoint.host), endpoint.port);
  if (typeof handle === 'number') throw cannotListen(endpoint, handle);
  handle.onconnection = (status, client) => {
    if (status === 0) accept(client);
    else complain(`could not accept a connection on ${formatEndpoint(endpoint)}: ${words(status)}`);
  };
  const status = handle.listen(BACKLOG);
  if (status !== 0) {
    handle.close();
    throw cannotListen(endpoint, status);
  }
  if (endpoint.kind === 'tcp') return { endpoint: boundTo(handle, endpoint), close: () => handle.close() };
  const file = endpoint.path.startsWith('@') ? null : endpoint.path;
  if (file === null) return { endpoint, close: () => handle.close() };
  const ours = lstatSync(file, { throwIfNoEntry: false });
  shareSocket(file, upstream, complain);
  return {
    endpoint,
    close() {
      if (isAnother(file, ours)) closeBeside(file, handle, complain);
      else handle.close();
    },
  };
}

/** Whether something else is at the path now. What cannot be looked at cannot be removed either. */
function isAnother(path: string, ours: Stats | undefined): boolean {
  try {
    const there = lstatSync(path, { throwIfNoEntry: false });
    return there !== undefined && (there.dev !== ours?.dev || there.ino !== ours?.ino);
  } catch {
    return false;
  }
}

/**
 * Closes a handle whose path somebody else has taken. libuv removes what is at the path with the handle, whosever it is: so that is out of
 * the way meanwhile. (Ours is not taken for theirs: its inode number stays in use for as long as we listen.)
 */
function closeBeside(path: string, handle: ServerHandle, complain: (text: string) => void): void {
  let aside: string | null = null;
  try {
    aside = mkdtempSync(`${path}.`);
    renameSync(path, join(aside, basename(path)));
  } catch {
    // Where we may not rename it, libuv may not remove it.
  }
  handle.close();
  if (aside === null) return;
  const kept = join(aside, basename(path));
  try {
    if (lstatSync(kept, { throwIfNoEntry: false })) renameSync(kept, path);
    rmdirSync(aside);
  } catch (error) {
    complain(`what was at ${path} is at ${kept} now: ${(error as Error).message}`);
  }
}

/** libuv calls a missing directory a lack of permission. */
function checkDirectory(endpoint: Endpoint & { kind: 'unix' }): void {
  const directory = dirname(endpoint.path);
  let found: ReturnType<typeof statSync>;
  try {
    found = statSync(directory, { throwIfNoEntry: false });
  } catch (error) {
    throw cannotListen(endpoint, (error as { errno?: number }).errno ?? 0);
  }
  if (found?.isDirectory()) return;
  throw new FcgiInspectError(
    'not-found',
    `cannot listen on ${formatEndpoint(endpoint)}: ${directory} ${found ? 'is not a directory' : 'does not exist'}`,
    'create the directory, or choose another path for --listen',
  );
}

/** A socket file that nobody listens on and that is ours is removed; anything else is left alone. */
async function clearStaleSocket(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isSocket())
    throw new FcgiInspectError(
      'address-in-use',
      `${path} exists and is not a socket`,
      'choose another path for --listen, or remove the file',
    );
  if (await answers(path))
    throw new FcgiInspectError(
      'address-in-use',
      `somebody listens on ${path} already`,
      'choose another path for --listen, or stop the other program',
    );
  // Ours may belong to the upstream's owner, whose place it took: root, who gave it away, may take it back.
  const self = process.getuid?.();
  if (found.uid !== self && self !== 0)
    throw new FcgiInspectError(
      'address-in-use',
      `${path} is a dead socket of another user (uid ${found.uid})`,
      `remove it: rm ${path}`,
    );
  unlinkSync(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    dial({ kind: 'unix', path }, (result) => {
      if ('reason' in result) return resolve(result.reason !== 'refused');
      result.close();
      resolve(true);
    });
  });
}

function shareSocket(path: string, upstream: Endpoint, complain: (text: string) => void): void {
  try {
    const model = upstream.kind === 'unix' ? lstatSync(upstream.path, { throwIfNoEntry: false }) : undefined;
    if (model) chownSync(path, model.uid, model.gid);
    if (upstream.kind === 'unix' && !model)
      complain(`${path} is for our own user only: the upstream's socket is not there to take owner and mode from`);
    chmodSync(path, model ? model.mode & 0o777 : upstream.kind === 'unix' ? 0o600 : 0o666);
  } catch (error) {
    complain(`could not give ${path} the owner and mode of the upstream's socket: ${(error as Error).message}`);
  }
}

async function address(host: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    return (await lookup(host)).address;
  } catch {
    throw new FcgiInspectError(
      'bad-address',
      `the name ${host} of --listen has no address`,
      'write an address, for example 127.0.0.1',
    );
  }
}

function boundTo(handle: ServerHandle, endpoint: Endpoint & { kind: 'tcp' }): Endpoint {
  const name: SocketName = {};
  handle.getsockname?.(name);
  return { ...endpoint, host: name.address ?? endpoint.host, port: name.port ?? endpoint.port };
}

function cannotListen(endpoint: Endpoint, status: number): FcgiInspectError {
  const where = formatEndpoint(endpoint);
  const errno = getSystemErrorMap().get(status)?.[0];
  if (errno === 'EADDRINUSE')
    return new FcgiInspectError(
      'address-in-use',
      `${where} is in use already`,
      `see who listens there: ss -ltnxp | grep ${endpoint.kind === 'tcp' ? endpoint.port : endpoint.path}`,
    );
  if (errno === 'EACCES' || errno === 'EPERM')
    return new FcgiInspectError(
      'permission',
      `no permission to listen on ${where}`,
      'ports below 1024 need root; a socket needs a directory you may write to',
    );
  return new FcgiInspectError(
    'io',
    `cannot listen on ${where}: ${words(status)}`,
    'choose another address for --listen',
  );
}

function words(status: number): string {
  return getSystemErrorMap().get(status)?.[1] ?? `error ${status}`;
}
