import { concatBytes } from '../../../src/model/bytes.js';
import { type CaptureComment, NEEDED_LIMIT, sniffFormat } from '../../../src/packet/formats/index.js';

/** A packet with bytes of its own. */
export interface ReadPacket {
  readonly at: number;
  readonly linkType: number;
  readonly bytes: Uint8Array;
  readonly originalLength: number;
  readonly origin: number;
}

export interface Reading {
  readonly format: string | null;
  readonly packets: ReadPacket[];
  readonly warnings: { readonly text: string; readonly offset: number }[];
  readonly comments: CaptureComment[];
}

/**
 * Reads a capture that comes in chunks, cut at the places given: as a caller does that shows the parser only what it asked for. The bytes
 * that it was shown are overwritten after each call. Throws when the parser breaks its contract.
 */
export function read(capture: Uint8Array, cuts: readonly number[] = [], origin = 0): Reading {
  const format = sniffFormat(capture);
  const reading: Reading = { format: format?.name ?? null, packets: [], warnings: [], comments: [] };
  const parser = format?.open(origin, {
    warn: (text, offset) => reading.warnings.push({ text, offset }),
    comment: (each) => reading.comments.push(each),
  });
  if (!parser) return reading;
  const sink = (packet: import('../../../src/packet/packet.js').Packet): void => {
    const { at, linkType, bytes, start, end, originalLength } = packet;
    if (end < start || end > bytes.length) throw new Error(`a packet from ${start} to ${end} of ${bytes.length}`);
    reading.packets.push({ at, linkType, bytes: bytes.slice(start, end), originalLength, origin: packet.origin });
  };
  // Some bytes of others around it, so that positions and offsets differ.
  const lead = 5;
  const shown = (bytes: Uint8Array): Uint8Array =>
    concatBytes([new Uint8Array(lead).fill(0xee), bytes, new Uint8Array(3)]);
  let left: Uint8Array = new Uint8Array(0);
  let from = 0;
  for (const to of [...cuts.map((cut) => cut % (capture.length + 1)).sort((a, b) => a - b), capture.length]) {
    left = concatBytes([left, capture.subarray(from, to)]);
    from = to;
    if (parser.needed > NEEDED_LIMIT) throw new Error(`the parser wants ${parser.needed} bytes`);
    if (left.length < parser.needed) continue;
    const bytes = shown(left);
    const consumed = parser.parse(bytes, lead, lead + left.length, sink);
    if (consumed < 0 || consumed > left.length) throw new Error(`${consumed} of ${left.length} consumed`);
    bytes.fill(0xa5);
    left = left.slice(consumed);
    if (parser.needed <= left.length) throw new Error(`it stopped with ${left.length}, and wanted ${parser.needed}`);
  }
  parser.finish(shown(left), lead, lead + left.length, sink);
  if (parser.packets !== reading.packets.length) throw new Error('packets are miscounted');
  return reading;
}
