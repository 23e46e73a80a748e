import { concatBytes } from '../../src/model/bytes.js';
import type { Side } from '../../src/model/connection.js';
import { answer, type RequestOptions, request } from './fake-source.js';
import { type Address, ethernet, FLAGS, ip, tcp } from './packets.js';

/** What tcpdump writes on most machines: classic, little-endian, microseconds. */
const MAGIC = 0xa1b2c3d4;
const ETHERNET = 1;
const FILE_HEADER = 24;
const PACKET_HEADER = 16;
/** Payload of a segment on a network of 1 500 bytes. */
const SEGMENT = 1_448;
const START = 1_789_000_000_000_000;

export interface WrittenConnectionOptions {
  readonly port?: number;
  readonly host?: string;
  /** Bytes of payload in a packet. */
  readonly segment?: number;
}

/** A capture of our own making, packet by packet: conversations that a test knows every byte of. */
export class WrittenCapture {
  readonly packets: { readonly at: number; readonly bytes: Uint8Array; readonly original: number }[] = [];
  private clients = 0;

  /** @param time microseconds since the epoch of the first packet */
  constructor(public time = START) {}

  connect({ port = 9_000, host = '10.0.0.2', segment = SEGMENT }: WrittenConnectionOptions = {}): WrittenConnection {
    this.clients += 1;
    const client = { host: '10.0.0.1', port: 20_000 + this.clients };
    return new WrittenConnection(this, client, { host, port }, segment);
  }

  /** A connection for each request, with its answer and its end. */
  roundTrip(options: RequestOptions & WrittenConnectionOptions = {}): this {
    this.connect(options)
      .send('client', request({ ...options, keep: false }))
      .send('server', answer(options))
      .end('server')
      .end('client');
    return this;
  }

  /** @param original how long it was on the wire, when the capture has less */
  packet(frame: Uint8Array, original = frame.length): void {
    this.time += 50;
    this.packets.push({ at: this.time, bytes: frame, original });
  }

  file(): Buffer {
    const head = Buffer.alloc(FILE_HEADER);
    head.writeUInt32LE(MAGIC, 0);
    head.writeUInt16LE(2, 4);
    head.writeUInt16LE(4, 6);
    head.writeUInt32LE(262_144, 16);
    head.writeUInt32LE(ETHERNET, 20);
    return Buffer.concat([head, ...this.blocks()]);
  }

  /** The packets as they stand in the file, without its header. */
  blocks(): Uint8Array[] {
    return this.packets.map(({ at, bytes, original }) => {
      const view = new DataView(new ArrayBuffer(PACKET_HEADER));
      view.setUint32(0, Math.floor(at / 1_000_000), true);
      view.setUint32(4, at % 1_000_000, true);
      view.setUint32(8, bytes.length, true);
      view.setUint32(12, original, true);
      return concatBytes([new Uint8Array(view.buffer), bytes]);
    });
  }
}

/** A TCP connection, from its SYN on. */
export class WrittenConnection {
  private readonly next = { client: 1_000, server: 2_000_000 };

  constructor(
    private readonly capture: WrittenCapture,
    private readonly client: Address,
    private readonly server: Address,
    private readonly segment: number,
  ) {
    this.write('client', FLAGS.syn);
    this.next.client += 1;
    this.write('server', FLAGS.syn | FLAGS.ack);
    this.next.server += 1;
    this.write('client', FLAGS.ack);
  }

  send(side: Side, bytes: Uint8Array): this {
    for (let from = 0; from < bytes.length; from += this.segment) {
      const payload = bytes.subarray(from, from + this.segment);
      this.write(side, FLAGS.ack | FLAGS.psh, payload);
      this.next[side] += payload.length;
    }
    return this;
  }

  /** Bytes that passed and were not captured. */
  lose(side: Side, length: number): this {
    this.next[side] += length;
    return this;
  }

  end(side: Side, how: 'fin' | 'reset' = 'fin'): this {
    this.write(side, FLAGS.ack | (how === 'fin' ? FLAGS.fin : FLAGS.rst));
    this.next[side] += 1;
    return this;
  }

  /** One IP packet of this payload, in fragments. */
  sendInFragments(side: Side, payload: Uint8Array, size: number): this {
    const whole = this.packetOf(side, FLAGS.ack, payload);
    for (let offset = 0; offset < whole.length; offset += size) {
      const more = offset + size < whole.length;
      const part = whole.subarray(offset, offset + size);
      this.capture.packet(ethernet(this.ip(side, part, { fragment: { offset, more } })));
    }
    this.next[side] += payload.length;
    return this;
  }

  /** One packet of which the capture has only the first `captured` bytes. */
  sendCut(side: Side, payload: Uint8Array, captured: number): this {
    const frame = ethernet(this.ip(side, this.packetOf(side, FLAGS.ack, payload)));
    this.capture.packet(frame.subarray(0, captured), frame.length);
    this.next[side] += payload.length;
    return this;
  }

  private write(side: Side, flags: number, payload?: Uint8Array): void {
    this.capture.packet(ethernet(this.ip(side, this.packetOf(side, flags, payload))));
  }

  private packetOf(side: Side, flags: number, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
    const [from, to] = side === 'client' ? [this.client, this.server] : [this.server, this.client];
    return tcp({
      from,
      to,
      sequence: this.next[side],
      acknowledgement: side === 'client' ? this.next.server : this.next.client,
      flags,
      payload,
    });
  }

  private ip(side: Side, payload: Uint8Array, options: Parameters<typeof ip>[3] = {}): Uint8Array {
    const { host: client } = this.client;
    const { host: server } = this.server;
    return side === 'client' ? ip(client, server, payload, options) : ip(server, client, payload, options);
  }
}
