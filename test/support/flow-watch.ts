import type { Side } from '../../src/model/connection.js';
import type { ConnectionEvent } from '../../src/model/connection-event.js';
import type { Recogniser } from '../../src/model/recognition.js';
import { FlowTable, type FlowTableOptions } from '../../src/packet/flow-table.js';
import { type Address, FLAGS, ip, join, type Segment, tcp } from './packets.js';

/** Feeds packets to a table, each in memory that is spoilt afterwards, and keeps what comes out. */

export const CLIENT: Address = { host: '10.0.0.1', port: 40_000 };
export const SERVER: Address = { host: '10.0.0.2', port: 9000 };
export const RAW = 101;
/** What lies around a packet in its buffer. */
const MARGIN = 5;
const POISON = 0xa5;
/** Where the first packet lies in the pretended file. */
const FIRST_ORIGIN = 1_000;

/** Everything is taken for FastCGI; a party that says `>` first is the client. */
export const byFirstByte: Recogniser = (first, second) => {
  if (first.bytes[0] === 0x3e || second.bytes[0] === 0x3c) return { kind: 'recognised', client: 0 };
  if (second.bytes[0] === 0x3e || first.bytes[0] === 0x3c) return { kind: 'recognised', client: 1 };
  if (first.bytes.length + second.bytes.length === 0) return { kind: 'undecided' };
  return { kind: 'foreign', protocol: 'noise' };
};

export interface Fed {
  readonly at?: number;
  readonly linkType?: number;
  /** How many bytes were captured; all by default. */
  readonly captured?: number;
  /** How long it was on the wire; as long as it is by default. */
  readonly originalLength?: number;
}

export class FlowWatch {
  readonly events: ConnectionEvent[] = [];
  readonly warnings: string[] = [];
  readonly table: FlowTable;
  /** The pretended file: what lies at which place. */
  readonly file: { readonly origin: number; readonly bytes: Uint8Array }[] = [];
  time = 1_000_000;
  #origin = FIRST_ORIGIN;

  constructor(options: Partial<FlowTableOptions> = {}) {
    this.table = new FlowTable({
      recognise: byFirstByte,
      ports: null,
      warn: (text) => this.warnings.push(text),
      ...options,
      sink: (event) => {
        this.events.push(event.kind === 'bytes' ? { ...event, bytes: event.bytes.slice() } : event);
        options.sink?.(event);
      },
    });
  }

  /** A packet, 10 µs after the one before. */
  frame(bytes: Uint8Array, fed: Fed = {}): void {
    this.time += 10;
    const captured = bytes.subarray(0, fed.captured ?? bytes.length);
    const buffer = new Uint8Array(captured.length + 2 * MARGIN).fill(POISON);
    buffer.set(captured, MARGIN);
    this.file.push({ origin: this.#origin, bytes: captured.slice() });
    this.table.packet({
      at: fed.at ?? this.time,
      linkType: fed.linkType ?? RAW,
      bytes: buffer,
      start: MARGIN,
      end: MARGIN + captured.length,
      originalLength: fed.originalLength ?? bytes.length,
      origin: this.#origin,
    });
    this.#origin += captured.length + 16;
    buffer.fill(POISON);
  }

  segment(segment: Segment, fed: Fed = {}): void {
    this.frame(ip(segment.from.host, segment.to.host, tcp(segment)), fed);
  }

  /** Bytes of the pretended file. */
  stored(origin: number, length: number): Uint8Array {
    const packet = this.file.find((each) => origin >= each.origin && origin < each.origin + each.bytes.length);
    if (packet === undefined) throw new Error(`nothing lies at ${origin}`);
    return packet.bytes.slice(origin - packet.origin, origin - packet.origin + length);
  }

  /** What a side said: missing bytes are dots. */
  said(side: Side, connection = 1): string {
    const parts = this.events.flatMap((event) => {
      if (event.connection !== connection) return [];
      if (event.kind === 'bytes' && event.side === side) return [event.bytes];
      return event.kind === 'gap' && event.side === side ? [new Uint8Array(event.length).fill(0x2e)] : [];
    });
    return new TextDecoder('latin1').decode(join(...parts));
  }

  /** The events in short: `open`, `>text`, `<text`, `> gap 3`, `< fin`, `closed`. Only those of one connection. */
  told(connection = 1): string[] {
    return this.events
      .filter((event) => event.connection === connection)
      .map((event) => {
        switch (event.kind) {
          case 'bytes':
            return `${arrow(event.side)}${new TextDecoder('latin1').decode(event.bytes)}`;
          case 'gap':
            return `${arrow(event.side)} gap ${event.length}`;
          case 'end':
            return `${arrow(event.side)} ${event.how}`;
          case 'failed':
            return `failed ${event.failure.errno}`;
          case 'open':
            return event.midstream ? 'open midstream' : 'open';
          default:
            return event.kind;
        }
      });
  }
}

/** One TCP connection whose segments are made by what the sides say. */
export class Talk {
  readonly #numbers: Record<Side, number>;

  constructor(
    readonly watch: FlowWatch,
    readonly client: Address = CLIENT,
    readonly server: Address = SERVER,
    first: Readonly<Record<Side, number>> = { client: 1_000, server: 5_000 },
  ) {
    this.#numbers = { ...first };
  }

  /** The number of the next byte. */
  next(side: Side): number {
    return this.#numbers[side];
  }

  /** A handshake of three packets. */
  shake(): this {
    return this.syn().synAck().ack('client');
  }

  syn(): this {
    this.send('client', '', FLAGS.syn);
    return this;
  }

  synAck(): this {
    this.send('server', '', FLAGS.syn | FLAGS.ack);
    return this;
  }

  ack(side: Side): this {
    this.send(side, '', FLAGS.ack);
    return this;
  }

  say(side: Side, text: string): this {
    this.send(side, text, FLAGS.ack | FLAGS.psh);
    return this;
  }

  fin(side: Side): this {
    this.send(side, '', FLAGS.ack | FLAGS.fin);
    return this;
  }

  reset(side: Side): this {
    this.send(side, '', FLAGS.ack | FLAGS.rst);
    return this;
  }

  /** Said, but not captured. */
  lose(side: Side, text: string): this {
    this.#numbers[side] += text.length;
    return this;
  }

  send(side: Side, text: string, flags: number, fed: Fed = {}): void {
    this.watch.segment(this.make(side, text, flags), fed);
  }

  /** The segment, for later; its bytes are counted as sent. */
  make(side: Side, text: string, flags: number = FLAGS.ack | FLAGS.psh): Segment {
    const segment = {
      ...this.ways(side),
      sequence: this.#numbers[side],
      acknowledgement: (flags & FLAGS.ack) === 0 ? 0 : this.#numbers[side === 'client' ? 'server' : 'client'],
      flags,
      payload: latin(text),
    };
    this.#numbers[side] += text.length + ((flags & (FLAGS.syn | FLAGS.fin)) === 0 ? 0 : 1);
    return segment;
  }

  ways(side: Side): { readonly from: Address; readonly to: Address } {
    return side === 'client' ? { from: this.client, to: this.server } : { from: this.server, to: this.client };
  }
}

export function latin(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

function arrow(side: Side): string {
  return side === 'client' ? '>' : '<';
}
