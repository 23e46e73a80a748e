import { FcgiInspectError } from '../model/errors.js';

/**
 * Node's own stream handles, one level below net.Socket.
 *
 * The relay is the one place where this pays and where net.Socket is not faithful enough: a pair of net.Sockets costs 70 of the 170 µs
 * of CPU that relaying one short connection takes (docs/decisions.md), destroys what it has not yet read when a write fails, and hides
 * that a shutdown found the peer gone. The handles are reached through process.binding, which Node 20 to 24 keep for such uses; what
 * we need of it is written down here and checked once, so that a Node without it gives an error in words instead of a crash.
 */

export interface StreamHandle {
  /** Called for each read; the figures are in `streamState`. */
  onread: (buffer: ArrayBuffer | undefined) => void;
  readStart(): number;
  readStop(): number;
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  shutdown(request: ShutdownRequest): number;
  close(callback?: () => void): void;
  /** TCP only: close with RST. */
  reset?(callback?: () => void): number;
  setNoDelay?(on: boolean): number;
  getpeername?(out: SocketName): number;
  getsockname?(out: SocketName): number;
}

export interface ServerHandle {
  onconnection: (status: number, client: StreamHandle) => void;
  listen(backlog: number): number;
  close(callback?: () => void): void;
  getsockname?(out: SocketName): number;
}

export interface SocketName {
  address?: string;
  port?: number;
}

export interface WriteRequest {
  oncomplete: (status: number) => void;
  /** Node's native side points into the bytes without holding them: whoever writes hangs them here until `oncomplete`. */
  buffer?: Uint8Array;
}
export interface ShutdownRequest {
  oncomplete: (status: number) => void;
}
export interface ConnectRequest {
  oncomplete: (status: number) => void;
}

interface TcpHandle extends StreamHandle, ServerHandle {
  bind(address: string, port: number): number;
  bind6(address: string, port: number, flags: number): number;
  connect(request: ConnectRequest, address: string, port: number): number;
  connect6(request: ConnectRequest, address: string, port: number): number;
}
interface PipeHandle extends StreamHandle, ServerHandle {
  bind(path: string): number;
  connect(request: ConnectRequest, path: string): number;
}

interface Bindings {
  readonly TCP: new (kind: number) => TcpHandle;
  readonly tcpKinds: { readonly SOCKET: number; readonly SERVER: number; readonly UV_TCP_IPV6ONLY: number };
  readonly TCPConnectWrap: new () => ConnectRequest;
  readonly Pipe: new (kind: number) => PipeHandle;
  readonly pipeKinds: { readonly SOCKET: number; readonly SERVER: number };
  readonly PipeConnectWrap: new () => ConnectRequest;
  readonly WriteWrap: new () => WriteRequest;
  readonly ShutdownWrap: new () => ShutdownRequest;
  readonly state: Int32Array;
  readonly READ: number;
  readonly OFFSET: number;
  readonly WROTE_LATER: number;
}

function load(): Bindings {
  try {
    const binding = (process as unknown as { binding(name: string): Record<string, unknown> }).binding;
    const tcp = binding('tcp_wrap') as { TCP: unknown; TCPConnectWrap: unknown; constants: unknown };
    const pipe = binding('pipe_wrap') as { Pipe: unknown; PipeConnectWrap: unknown; constants: unknown };
    const stream = binding('stream_wrap') as Record<string, unknown>;
    const found = {
      TCP: tcp.TCP,
      tcpKinds: tcp.constants,
      TCPConnectWrap: tcp.TCPConnectWrap,
      Pipe: pipe.Pipe,
      pipeKinds: pipe.constants,
      PipeConnectWrap: pipe.PipeConnectWrap,
      WriteWrap: stream.WriteWrap,
      ShutdownWrap: stream.ShutdownWrap,
      state: stream.streamBaseState,
      READ: stream.kReadBytesOrError,
      OFFSET: stream.kArrayBufferOffset,
      WROTE_LATER: stream.kLastWriteWasAsync,
    };
    const missing = Object.entries(found).find(([, value]) => value === undefined);
    if (missing) throw new Error(`${missing[0]} is not there`);
    return found as unknown as Bindings;
  } catch (error) {
    throw new FcgiInspectError(
      'unsupported',
      `this Node (${process.version}) does not give access to its stream handles: ${(error as Error).message}`,
      'run fcgi-inspect with Node 20, 22 or 24, and without --permission',
    );
  }
}

const bindings = load();

/** The number of bytes of the read that `onread` is being called for, or a negative errno. */
export const lastRead = (): number => bindings.state[bindings.READ]!;
/** Where in the buffer handed to `onread` the bytes begin. */
export const lastReadOffset = (): number => bindings.state[bindings.OFFSET]!;
/** Whether the write that just returned 0 is still under way (its request's `oncomplete` will be called) or done. */
export const lastWritePending = (): boolean => bindings.state[bindings.WROTE_LATER] !== 0;

export const newWriteRequest = (): WriteRequest => new bindings.WriteWrap();
export const newShutdownRequest = (): ShutdownRequest => new bindings.ShutdownWrap();

/** libuv's "end of file", the one read status that has no errno. */
export const END_OF_FILE = -4095;

/** A listening handle, bound and not yet listening. Returns a negative errno when it cannot be bound. */
export function bindTcp(address: string, port: number): ServerHandle | number {
  const handle = new bindings.TCP(bindings.tcpKinds.SERVER);
  const status = address.includes(':')
    ? handle.bind6(address, port, bindings.tcpKinds.UV_TCP_IPV6ONLY)
    : handle.bind(address, port);
  if (status !== 0) handle.close();
  return status === 0 ? handle : status;
}

/** As bindTcp; an abstract name begins with a NUL byte. */
export function bindUnix(path: string): ServerHandle | number {
  const handle = new bindings.Pipe(bindings.pipeKinds.SERVER);
  const status = handle.bind(path);
  if (status !== 0) handle.close();
  return status === 0 ? handle : status;
}

/** Begins to connect; `done` gets 0 or a negative errno, never before this returns. The handle is the caller's to close. */
export function connectTcp(address: string, port: number, done: (status: number) => void): StreamHandle {
  const handle = new bindings.TCP(bindings.tcpKinds.SOCKET);
  const request = new bindings.TCPConnectWrap();
  request.oncomplete = done;
  const status = address.includes(':')
    ? handle.connect6(request, address, port)
    : handle.connect(request, address, port);
  if (status !== 0) setImmediate(done, status);
  return handle;
}

export function connectUnix(path: string, done: (status: number) => void): StreamHandle {
  const handle = new bindings.Pipe(bindings.pipeKinds.SOCKET);
  const request = new bindings.PipeConnectWrap();
  request.oncomplete = done;
  const status = handle.connect(request, path) as number | undefined;
  if (status !== 0 && status !== undefined) setImmediate(done, status);
  return handle;
}
