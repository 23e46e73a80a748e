import { NO_BYTES } from '../model/bytes.js';
import { PacketSlot } from '../packet/formats/index.js';
import type { Packet, PacketSink } from '../packet/packet.js';
import type { CaptureInput } from './capture-input.js';

const INITIAL_CAPACITY = 1024;

/**
 * The packets of one input that wait for those of others, in columns: a chunk's worth, whose bytes stay in the input's own buffer. So a
 * lane that has packets left must not be filled.
 */
export class CaptureLane {
  // Invariants: packets [head, count) wait, all of them in `slot.bytes`; `done` says that no more will come.
  done = false;
  private released = false;
  private head = 0;
  private count = 0;
  private readonly slot = new PacketSlot(NO_BYTES);
  private times = new Float64Array(INITIAL_CAPACITY);
  private origins = new Float64Array(INITIAL_CAPACITY);
  /** Four numbers a packet: link type, start, end, original length. */
  private places = new Int32Array(4 * INITIAL_CAPACITY);
  private readonly keep = (packet: Packet): void => this.push(packet);

  constructor(private readonly input: CaptureInput) {}

  get isEmpty(): boolean {
    return this.head === this.count;
  }

  /** When the first packet that waits was captured; later than everything when none does. */
  get time(): number {
    return this.isEmpty ? Number.POSITIVE_INFINITY : this.times[this.head]!;
  }

  /** Reads until there is a packet, or the end. After that its memory is let go. */
  async fill(): Promise<void> {
    if (this.released) return;
    this.head = 0;
    this.count = 0;
    while (this.count === 0 && !this.done) this.done = !(await this.input.next(this.keep));
    if (this.count === 0) await this.release();
  }

  /** Hands out what waits, up to the time `until`, inclusive only when `alsoEqual`. */
  drain(until: number, alsoEqual: boolean, sink: PacketSink): void {
    const { slot, times, places, origins, count } = this;
    let head = this.head;
    for (; head < count; head += 1) {
      const at = times[head]!;
      if (at > until || (at === until && !alsoEqual)) break;
      slot.at = at;
      slot.origin = origins[head]!;
      slot.linkType = places[4 * head]!;
      slot.start = places[4 * head + 1]!;
      slot.end = places[4 * head + 2]!;
      slot.originalLength = places[4 * head + 3]!;
      sink(slot);
    }
    this.head = head;
  }

  /** A `next` after the last makes the input forget its buffers. */
  private async release(): Promise<void> {
    this.released = true;
    await this.input.next(this.keep);
    this.slot.bytes = NO_BYTES;
    this.times = new Float64Array(0);
    this.origins = new Float64Array(0);
    this.places = new Int32Array(0);
  }

  private push(packet: Packet): void {
    const { count } = this;
    if (count === this.times.length) this.grow();
    this.slot.bytes = packet.bytes;
    this.times[count] = packet.at;
    this.origins[count] = packet.origin;
    this.places[4 * count] = packet.linkType;
    this.places[4 * count + 1] = packet.start;
    this.places[4 * count + 2] = packet.end;
    this.places[4 * count + 3] = packet.originalLength;
    this.count = count + 1;
  }

  private grow(): void {
    const { times, origins, places } = this;
    this.times = new Float64Array(2 * times.length);
    this.times.set(times);
    this.origins = new Float64Array(2 * origins.length);
    this.origins.set(origins);
    this.places = new Int32Array(2 * places.length);
    this.places.set(places);
  }
}
