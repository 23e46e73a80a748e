import { FLAG } from '../../samples/derive/frame.js';
import { CaptureWriter } from './capture-writer.js';
import { generator } from './generator.js';
import { address, IP, marks, serial, TCP } from './packet-fields.js';
import type { Exchanged } from './recorded.js';
import type { Made } from './replicas.js';
import { SERIAL } from './traffic.js';

const FIRST_TIME = 1_790_000_000_000_000;
/** Between two packets, and before a request, in microseconds. */
const STEP = 20;
const PAUSE = 1_000;
/** Two NOP and the timestamps option, as Linux has them in each segment. */
const OPTIONS = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 1];
const TCP_HEADER = 20 + OPTIONS.length;
/** The receiver acknowledges each second segment, as delayed acknowledgments do. */
const ACKNOWLEDGED = 2;
const BREATH = 2_000;

type Side = 'client' | 'server';

/** A capture of one connection that carries `requests` requests, each a copy of one that was made on a kept connection. */
export async function keepOne(path: string, exchanges: readonly Exchanged[], requests: number): Promise<Made> {
  const templates = exchanges.map(({ client, server }) => ({
    client: client.map((bytes) => ({ bytes, marks: marks(bytes, SERIAL) })),
    server: server.map((bytes) => ({ bytes, marks: [] as number[] })),
  }));
  const random = generator(11);
  const writer = new CaptureWriter(path);
  const sequences: Record<Side, number> = { client: 1, server: 2 };
  let at = FIRST_TIME;

  function segment(side: Side, flags: number, payload: Uint8Array = new Uint8Array()): Buffer {
    at += STEP;
    const packet = writer.packet(at, TCP + TCP_HEADER + payload.length);
    packet.fill(0, 0, TCP + TCP_HEADER);
    packet.writeUInt16BE(0x0800, 12);
    packet.writeUInt8(0x45, IP);
    packet.writeUInt16BE(packet.length - IP, IP + 2);
    packet.writeUInt16BE(0x4000, IP + 6);
    packet.writeUInt8(64, IP + 8);
    packet.writeUInt8(6, IP + 9);
    packet.writeUInt32BE(sequences[side], TCP + 4);
    if (flags & FLAG.ack) packet.writeUInt32BE(sequences[otherOf(side)], TCP + 8);
    packet.writeUInt8((TCP_HEADER / 4) << 4, TCP + 12);
    packet.writeUInt8(flags, TCP + 13);
    packet.writeUInt16BE(512, TCP + 14);
    packet.set(OPTIONS, TCP + 20);
    packet.set(payload, TCP + TCP_HEADER);
    address(packet, 0, side === 'client');
    // SYN and FIN take a number each.
    sequences[side] = (sequences[side] + payload.length + (flags & (FLAG.syn | FLAG.fin) ? 1 : 0)) >>> 0;
    return packet.subarray(TCP + TCP_HEADER);
  }

  segment('client', FLAG.syn);
  segment('server', FLAG.syn | FLAG.ack);
  segment('client', FLAG.ack);
  for (let number = 0; number < requests; number++) {
    at += Math.floor(random() * PAUSE);
    const template = templates[Math.floor(random() * templates.length)]!;
    for (const side of ['client', 'server'] as const)
      template[side].forEach((piece, index) => {
        const sent = segment(side, FLAG.psh | FLAG.ack, piece.bytes);
        for (const mark of piece.marks) sent.set(serial(number, SERIAL.length), mark);
        if ((index + 1) % ACKNOWLEDGED === 0 || index + 1 === template[side].length) segment(otherOf(side), FLAG.ack);
      });
    if (number % BREATH === 0) await writer.breathe();
  }
  segment('client', FLAG.fin | FLAG.ack);
  segment('server', FLAG.fin | FLAG.ack);
  segment('client', FLAG.ack);
  writer.close();
  return { bytes: writer.bytes, packets: writer.packets, connections: 1, requests };
}

function otherOf(side: Side): Side {
  return side === 'client' ? 'server' : 'client';
}
