import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { encodeBeginRequest, encodeRecord } from '../../src/protocol/fastcgi/encoder.js';
import { type Address, ethernet, FLAGS, ip, tcp } from '../support/packets.js';

/**
 * Packets to connection events, on the built code: `npm run bench:reassembly`. A gibibyte of loopback frames lies in memory, as nginx and
 * PHP-FPM send them, and is read: every request its own connection, ten on each, all on one. Reading the frames'
 * lengths alone is the limit. Ends 1 when a target is missed.
 */
type FlowTables = typeof import('../../src/packet/flow-table.js');
type Recognisers = typeof import('../../src/protocol/fastcgi/recogniser.js');
const built = async (name: string): Promise<unknown> =>
  import(pathToFileURL(join(import.meta.dirname, '../../dist', `${name}.js`)).href);
const { FlowTable } = (await built('packet/flow-table')) as FlowTables;
const { recogniseFastcgi } = (await built('protocol/fastcgi/recogniser')) as Recognisers;

const TOTAL = 1024 * 1024 * 1024;
const TARGET_MILLISECONDS = 500;
const ROUNDS = 5;
/** Of a frame: its length. */
const HEAD = 4;
const REQUEST = 1_100;
const RESPONSE = 19_000;
const SEGMENT = 32_768;

const server: Address = { host: '127.0.0.1', port: 9000 };
const template = (segment: Parameters<typeof tcp>[0]) =>
  ethernet(ip(segment.from.host, segment.to.host, tcp({ ...segment, options: 12 })));

/** Writes frames one behind the other. */
class Frames {
  readonly bytes = new Uint8Array(TOTAL);
  readonly #view = new DataView(this.bytes.buffer);
  length = 0;
  count = 0;
  readonly #asking = new Uint8Array(REQUEST);
  readonly #answering = new Uint8Array(RESPONSE);

  constructor() {
    const begin = encodeBeginRequest(1, 1);
    const params = encodeRecord({ type: 4, requestId: 1, content: new Uint8Array(REQUEST - begin.length - 24) });
    let at = 0;
    const empty = [4, 5].map((type) => encodeRecord({ type, requestId: 1, content: new Uint8Array(0) }));
    for (const part of [begin, params, ...empty]) {
      this.#asking.set(part, at);
      at += part.length;
    }
    const end = encodeRecord({ type: 3, requestId: 1, content: new Uint8Array(8) });
    this.#answering.set(encodeRecord({ type: 6, requestId: 1, content: new Uint8Array(RESPONSE - 8 - end.length) }));
    this.#answering.set(end, RESPONSE - end.length);
  }

  get full(): boolean {
    return this.length + 3 * SEGMENT > TOTAL;
  }

  put(frame: Uint8Array): void {
    this.#view.setUint32(this.length, frame.length);
    this.bytes.set(frame, this.length + HEAD);
    this.length += HEAD + frame.length;
    this.count += 1;
  }

  /** A connection with some requests; each is a question, an answer, and what acknowledges them. */
  connection(port: number, requests: number): void {
    const client: Address = { host: '127.0.0.1', port };
    let [asked, answered] = [port * 7_919, port * 104_729];
    const send = (fromClient: boolean, flags: number, payload = NOTHING) => {
      const [from, to] = fromClient ? [client, server] : [server, client];
      const [sequence, acknowledgement] = fromClient ? [asked, answered] : [answered, asked];
      this.put(template({ from, to, sequence, acknowledgement, flags, payload }));
      const length = payload.length + ((flags & (FLAGS.syn | FLAGS.fin)) === 0 ? 0 : 1);
      if (fromClient) asked += length;
      else answered += length;
    };
    send(true, FLAGS.syn);
    send(false, FLAGS.syn | FLAGS.ack);
    send(true, FLAGS.ack);
    for (let i = 0; i < requests && !this.full; i += 1) {
      send(true, FLAGS.ack | FLAGS.psh, this.#asking);
      send(false, FLAGS.ack);
      send(false, FLAGS.ack | FLAGS.psh, this.#answering);
      send(true, FLAGS.ack);
    }
    send(false, FLAGS.ack | FLAGS.fin);
    send(true, FLAGS.ack | FLAGS.fin);
    send(false, FLAGS.ack);
  }
}
const NOTHING = new Uint8Array(0);

interface Run {
  readonly milliseconds: number;
  readonly events: number;
  readonly bytes: number;
}

function walk(frames: Frames): number {
  const view = new DataView(frames.bytes.buffer);
  const start = performance.now();
  let sum = 0;
  for (let at = 0; at < frames.length; ) {
    const length = view.getUint32(at);
    sum += frames.bytes[at + HEAD + 14]!;
    at += HEAD + length;
  }
  if (sum === 0) throw new Error('nothing was read');
  return performance.now() - start;
}

function run(frames: Frames, ports: readonly number[] | null): Run {
  let [events, bytes] = [0, 0];
  const table = new FlowTable({
    sink: (event) => {
      events += 1;
      if (event.kind === 'bytes') bytes += event.bytes.length;
    },
    recognise: recogniseFastcgi,
    ports,
  });
  const packet = { at: 0, linkType: 1, bytes: frames.bytes, start: 0, end: 0, originalLength: 0, origin: 0 };
  const view = new DataView(frames.bytes.buffer);
  const start = performance.now();
  for (let at = 0, time = 1.7e15; at < frames.length; time += 20.5) {
    const length = view.getUint32(at);
    packet.at = time;
    packet.start = packet.origin = at + HEAD;
    packet.end = packet.start + length;
    packet.originalLength = length;
    table.packet(packet);
    at = packet.end;
  }
  table.finish();
  const milliseconds = performance.now() - start;
  if (table.counts.missingBytes > 0) throw new Error('something is missing');
  return { milliseconds, events, bytes };
}

let missed = false;
for (const [name, requests] of [
  ['one request each', 1],
  ['ten requests each', 10],
  ['all on one connection', Number.POSITIVE_INFINITY],
] as const) {
  const frames = new Frames();
  for (let port = 10_000; !frames.full; port += 1) frames.connection(port, requests);
  for (const ports of [null, [9000]]) {
    const limit = Math.min(...Array.from({ length: ROUNDS }, () => walk(frames)));
    const runs = Array.from({ length: ROUNDS }, () => run(frames, ports));
    const best = runs.reduce((a, b) => (b.milliseconds < a.milliseconds ? b : a));
    const met = best.milliseconds <= TARGET_MILLISECONDS;
    missed ||= !met;
    const each = ((best.milliseconds * 1e6) / frames.count).toFixed(0);
    console.log(
      `${name.padEnd(22)} ${ports === null ? 'by content' : 'by port   '} ${frames.count} packets, ${best.events} events, ` +
        `${(best.bytes / 2 ** 20).toFixed(0)} MiB: ${best.milliseconds.toFixed(0)} ms, ${each} ns a packet; ` +
        `their lengths alone ${limit.toFixed(0)} ms${met ? '' : '  TARGET MISSED'}`,
    );
  }
}
if (missed) process.exitCode = 1;
