import { setMaxListeners } from 'node:events';
import { FcgiInspectError } from '../model/errors.js';
import { FILES_LIMIT, splitOrigin } from '../packet/origin.js';
import type { PacketSink } from '../packet/packet.js';
import { STANDARD_INPUT } from './capture-bytes.js';
import { CaptureInput, type CaptureInputOptions, type CaptureReports, CHUNK_LENGTH } from './capture-input.js';
import { CaptureLane } from './capture-lane.js';

/**
 * Strategy: a single capture goes straight through. Of several each waits with one chunk's worth of packets, and the one whose first packet is
 * the earliest goes ahead as far as it stays that; captures of one rotation, which hardly overlap, cost no more than one after the other.
 */

/** What all inputs together read at once, and the least that each of them does. */
const CHUNKS_TOGETHER = 16 * 1024 * 1024;
const SMALLEST_CHUNK = 32 * 1024;

/** Several captures, read as one: the packets of each in their order, of all the earliest first. */
export class CaptureFiles {
  private readonly lanes: CaptureLane[];

  private constructor(readonly inputs: readonly CaptureInput[]) {
    this.lanes = inputs.map((input) => new CaptureLane(input));
  }

  /**
   * Opens all paths, "-" for standard input among them. The place of a path is the file number in the origins of its packets.
   * Rejects with an FcgiInspectError, then none is open: as CaptureInput.open does; usage for too many, or for standard input twice.
   */
  static async open(
    paths: readonly string[],
    reports: CaptureReports,
    options: Pick<CaptureInputOptions, 'chunkLength' | 'signal'> = {},
  ): Promise<CaptureFiles> {
    if (paths.length > FILES_LIMIT) {
      throw new FcgiInspectError(
        'usage',
        `${paths.length} capture files are more than ${FILES_LIMIT}`,
        'merge them before: mergecap -w all.pcapng FILE...',
      );
    }
    if (paths.indexOf(STANDARD_INPUT) !== paths.lastIndexOf(STANDARD_INPUT)) {
      throw new FcgiInspectError('usage', 'standard input is named twice', 'name "-" once');
    }
    const share = Math.max(SMALLEST_CHUNK, Math.min(CHUNK_LENGTH, Math.floor(CHUNKS_TOGETHER / paths.length)));
    const chunkLength = options.chunkLength ?? share;
    // The first that fails ends the wait for pipes that have not begun.
    const failed = new AbortController();
    // Each input listens, however many there are.
    setMaxListeners(0, failed.signal);
    const giveUp = (): void => failed.abort();
    options.signal?.addEventListener('abort', giveUp);
    if (options.signal?.aborted) giveUp();
    const openings = paths.map((path, file) =>
      CaptureInput.open(path, reports, { file, chunkLength, signal: failed.signal }),
    );
    try {
      return new CaptureFiles(await Promise.all(openings));
    } catch (error) {
      giveUp();
      for (const opening of await Promise.allSettled(openings)) {
        if (opening.status === 'fulfilled') await opening.value.close();
      }
      throw error;
    } finally {
      options.signal?.removeEventListener('abort', giveUp);
    }
  }

  /** How many bytes of the files were read. */
  get bytesRead(): number {
    return this.inputs.reduce((sum, input) => sum + input.bytesRead, 0);
  }

  /** The length of all files together; null when one of them has none. */
  get size(): number | null {
    return this.inputs.reduce<number | null>((sum, { size }) => (sum === null || size === null ? null : sum + size), 0);
  }

  /**
   * Reads on and hands out some packets; as CaptureInput.next. A packet's bytes are valid until the sink returns. Pipes hold up the others: the
   * earliest packet is not known before each input has one.
   */
  async next(sink: PacketSink): Promise<boolean> {
    const [only] = this.inputs;
    if (only && this.inputs.length === 1) return only.next(sink);
    await Promise.all(this.lanes.map((lane) => (lane.isEmpty ? lane.fill() : null)));
    for (;;) {
      const first = this.earliest(null);
      if (!first) return false;
      const second = this.earliest(first);
      const until = second?.time ?? Number.POSITIVE_INFINITY;
      first.drain(until, !second || this.lanes.indexOf(first) < this.lanes.indexOf(second), sink);
      if (first.isEmpty && !first.done) return true;
    }
  }

  /** Reads where packets have their origin, also after the end, until close. 0 for an origin in none of the files. Rejects as the system does. */
  async readAt(origin: number, into: Uint8Array): Promise<number> {
    const place = splitOrigin(origin);
    const readAt = place && this.inputs[place.file]?.readAt;
    return readAt ? readAt(place.offset, into) : 0;
  }

  /** Lets go of all files. A `next` that waits resolves to false. */
  async close(): Promise<void> {
    await Promise.all(this.inputs.map((input) => input.close()));
  }

  /** The lane with the earliest packet but for `except`; of equal ones the first. */
  private earliest(except: CaptureLane | null): CaptureLane | null {
    let found: CaptureLane | null = null;
    for (const lane of this.lanes) {
      if (lane !== except && !lane.isEmpty && (!found || lane.time < found.time)) found = lane;
    }
    return found;
  }
}
