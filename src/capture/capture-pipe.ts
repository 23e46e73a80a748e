import { Socket } from 'node:net';
import type { ByteSource } from './capture-bytes.js';

/** A pipe or socket, read when it is asked for: what nobody asked for stays with its writer, but for one chunk. */
export class PipeBytes implements ByteSource {
  // Invariants: the socket is paused while `chunk` has bytes left; `wake` is set while a read waits.
  bytesRead = 0;
  private readonly socket: Socket;
  private chunk: Uint8Array | null = null;
  private taken = 0;
  private over = false;
  private failure: Error | null = null;
  private wake: (() => void) | null = null;

  constructor(descriptor: number) {
    this.socket = new Socket({ fd: descriptor, readable: true, writable: false });
    this.socket.pause();
    this.socket.on('data', (bytes) => {
      this.socket.pause();
      this.chunk = bytes;
      this.taken = 0;
      this.wake?.();
    });
    this.socket.on('error', (error) => {
      this.failure = error;
      this.wake?.();
    });
    this.socket.on('close', () => this.conclude());
    this.socket.on('end', () => this.conclude());
  }

  async read(into: Uint8Array, from: number, to: number): Promise<number> {
    while (!this.chunk && !this.over && !this.failure) {
      this.socket.resume();
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      this.wake = null;
    }
    if (!this.chunk) {
      const { failure } = this;
      this.failure = null;
      this.over = true;
      if (failure) throw failure;
      return 0;
    }
    const length = Math.min(to - from, this.chunk.length - this.taken);
    into.set(this.chunk.subarray(this.taken, this.taken + length), from);
    this.taken += length;
    if (this.taken === this.chunk.length) this.chunk = null;
    this.bytesRead += length;
    return length;
  }

  async close(): Promise<void> {
    this.chunk = null;
    this.socket.destroy();
    this.conclude();
  }

  private conclude(): void {
    this.over = true;
    this.wake?.();
  }
}
