import { CaptureWriter } from './capture-writer.js';
import { generator } from './generator.js';
import { address, marks, serial } from './packet-fields.js';
import type { Recorded } from './recorded.js';
import { SERIAL } from './traffic.js';

export interface Made {
  readonly bytes: number;
  readonly packets: number;
  readonly connections: number;
  readonly requests: number;
}

/** When a copy ends, another begins in its place after at most this long, in microseconds. */
const PAUSE = 20_000;
const OPEN_AT_ONCE = 48;
const FIRST_TIME = 1_790_000_000_000_000;
/** How many packets are written between two looks at signals. */
const BREATH = 20_000;

interface Template {
  readonly packets: readonly Packet[];
  readonly requests: number;
}

interface Packet {
  /** Microseconds since the connection's first. */
  readonly after: number;
  readonly bytes: Uint8Array;
  readonly fromClient: boolean;
  readonly marks: readonly number[];
}

/** One of the connections that are open at once. */
interface Lane {
  at: number;
  begun: number;
  next: number;
  number: number;
  template: Template;
}

/**
 * A capture of a busy server: copies of the recorded connections, a few dozen at once, each from an address of its own, in the order of
 * their packets' times. No new one begins when `enough` says so; those that are open go on to their end.
 */
export async function replicate(
  path: string,
  recordings: readonly Recorded[],
  enough: (made: Made) => boolean,
): Promise<Made> {
  const templates = recordings.map(templateOf);
  const random = generator(7);
  const writer = new CaptureWriter(path);
  const made = { bytes: 0, packets: 0, connections: 0, requests: 0 };

  function begin(lane: Lane, after: number): void {
    lane.template = templates[Math.floor(random() * templates.length)]!;
    lane.begun = lane.at = after + Math.floor(random() * PAUSE);
    lane.next = 0;
    lane.number = made.connections;
    made.connections += 1;
    made.requests += lane.template.requests;
  }

  const lanes = Array.from({ length: OPEN_AT_ONCE }, (): Lane => {
    const lane = { at: 0, begun: 0, next: 0, number: 0, template: templates[0]! };
    begin(lane, FIRST_TIME);
    return lane;
  });
  while (lanes.length > 0) {
    const lane = lanes.reduce((first, other) => (other.at < first.at ? other : first));
    const packet = lane.template.packets[lane.next]!;
    const bytes = writer.packet(lane.at, packet.bytes.length);
    bytes.set(packet.bytes);
    address(bytes, lane.number, packet.fromClient);
    for (const mark of packet.marks) bytes.set(serial(lane.number, SERIAL.length), mark);
    lane.next += 1;
    const following = lane.template.packets[lane.next];
    made.bytes = writer.bytes;
    if (following) lane.at = lane.begun + following.after;
    else if (enough(made)) lanes.splice(lanes.indexOf(lane), 1);
    else begin(lane, lane.at);
    if (writer.packets % BREATH === 0) await writer.breathe();
  }
  writer.close();
  return { ...made, bytes: writer.bytes, packets: writer.packets };
}

function templateOf({ frames, exchanges }: Recorded): Template {
  const packets = frames.map(({ at, bytes, side }) => ({
    after: at - frames[0]!.at,
    bytes,
    fromClient: side === 'client',
    marks: marks(bytes, SERIAL),
  }));
  return { packets, requests: exchanges.length };
}
