import { setTimeout as sleep } from 'node:timers/promises';
import { NO_BYTES } from '../model/bytes.js';
import type { StreamName } from '../model/exchange.js';
import { ProtocolStatus } from '../protocol/fastcgi/constants.js';
import { encodeEndRequest, encodeStream } from '../protocol/fastcgi/encoder.js';
import { decodePairs } from '../protocol/fastcgi/name-value.js';
import { type Peer, PeerGone } from './peer.js';

/** How much of PARAMS, STDIN and DATA is kept for a page; the rest of a body is counted and let go. */
const INPUT_KEPT = 1024 * 1024;
/** PHP-FPM's largest STDOUT record, and its alignment. */
const STDOUT_LENGTH = 65_528;
const ALIGNMENT = 8;

/** A request as a page sees it: params and bodies to read, streams to write, and ways to end. */
export class ApplicationRequest {
  private readonly inputs = { params: new Input(), stdin: new Input(), data: new Input() };
  /** Ends what the page waits for. */
  private readonly interrupted = new AbortController();
  private dropped = false;
  private stderrUsed = false;
  /** The web server sent ABORT_REQUEST: answers are not wanted any more, END_REQUEST is (section 5.4). */
  aborted = false;

  /** @param role as on the wire (section 6) */
  constructor(
    readonly id: number,
    readonly role: number,
    readonly peer: Peer,
  ) {}

  /** A record of one of the web server's streams; an empty one ends it. */
  take(stream: StreamName, bytes: Uint8Array): void {
    if (stream === 'stdout' || stream === 'stderr') return;
    if (!this.inputs[stream].push(bytes)) this.peer.destroy();
  }

  /** Resolves when PARAMS has ended. A name that was sent twice has its last value. */
  async params(): Promise<ReadonlyMap<string, string>> {
    const bytes = await this.inputs.params.whole();
    return new Map(decodePairs(bytes).params.map((param) => [param.name, param.value]));
  }

  /** The request body, or its first megabyte, once it has ended. */
  async stdin(): Promise<{ readonly bytes: Uint8Array; readonly length: number }> {
    return { bytes: await this.inputs.stdin.whole(), length: this.inputs.stdin.length };
  }

  /** The file that a filter is to change (section 6.4), or its first megabyte. */
  async data(): Promise<Uint8Array> {
    return this.inputs.data.whole();
  }

  /** Resolves when more may be written. Rejects with PeerGone. */
  async stdout(content: string | Uint8Array): Promise<void> {
    if (!this.aborted) await this.write('stdout', content);
  }

  async stderr(text: string): Promise<void> {
    this.stderrUsed = true;
    if (!this.aborted) await this.write('stderr', text);
  }

  /** Ends the streams that were used and the request. */
  async end(appStatus = 0, protocolStatus: number = ProtocolStatus.REQUEST_COMPLETE): Promise<void> {
    if (protocolStatus === ProtocolStatus.REQUEST_COMPLETE) {
      if (this.stderrUsed) await this.peer.send(encodeStream('stderr', this.id, NO_BYTES));
      await this.peer.send(encodeStream('stdout', this.id, NO_BYTES));
    }
    await this.peer.send(encodeEndRequest(this.id, appStatus, protocolStatus));
  }

  /** Shorter when the request is aborted meanwhile. Rejects with PeerGone when it is torn down. */
  async wait(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.interrupted.signal }).catch(() => {});
    if (this.dropped) throw new PeerGone();
  }

  /** ABORT_REQUEST: whoever waits for the rest of the body goes on with what there is. */
  abort(): void {
    this.aborted = true;
    this.interrupted.abort();
    for (const input of Object.values(this.inputs)) input.finish();
  }

  /** The connection is no more. */
  drop(): void {
    this.dropped = true;
    this.interrupted.abort();
    for (const input of Object.values(this.inputs)) input.fail(new PeerGone());
  }

  private async write(stream: 'stdout' | 'stderr', content: string | Uint8Array): Promise<void> {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    // Record by record, so that a long answer waits for a slow reader instead of piling up.
    for (let at = 0; at < bytes.length; at += STDOUT_LENGTH) {
      const part = bytes.subarray(at, at + STDOUT_LENGTH);
      await this.peer.send(encodeStream(stream, this.id, part, { alignment: ALIGNMENT, close: false }));
      if (this.dropped) throw new PeerGone();
    }
  }
}

/** One stream from the web server: its beginning, its length, and a promise of its end. */
class Input {
  length = 0;
  private readonly parts: Uint8Array[] = [];
  private readonly ended: Promise<void>;
  private settle: { resolve: () => void; reject: (error: Error) => void } | null = null;

  constructor() {
    this.ended = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
    // Not every page reads every stream.
    this.ended.catch(() => {});
  }

  /** False when something comes after the end. */
  push(bytes: Uint8Array): boolean {
    if (this.settle === null) return bytes.length === 0;
    if (bytes.length === 0) this.finish();
    else {
      if (this.length < INPUT_KEPT) this.parts.push(bytes.slice(0, INPUT_KEPT - this.length));
      this.length += bytes.length;
    }
    return true;
  }

  async whole(): Promise<Uint8Array> {
    await this.ended;
    return Buffer.concat(this.parts);
  }

  finish(): void {
    this.settle?.resolve();
    this.settle = null;
  }

  fail(error: Error): void {
    this.settle?.reject(error);
    this.settle = null;
  }
}
