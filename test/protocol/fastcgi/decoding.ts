import type { Side } from '../../../src/model/connection.js';
import { RecordDecoder } from '../../../src/protocol/fastcgi/decoder.js';
import type { RecordEvent } from '../../../src/protocol/fastcgi/record-event.js';
import { everyChunking } from '../../support/chunking.js';

/** A stream as a capture has it: bytes, and numbers for how many are missing. */
export type Piece = Uint8Array | number;

export interface Options {
  readonly side?: Side;
  readonly offset?: number;
  readonly midstream?: boolean;
  /** Leave the stream open. */
  readonly open?: boolean;
}

/** What came out, with bytes of its own and without the times, which may depend on the chunks. */
export type Decoded = {
  [K in RecordEvent['kind']]: WithoutTime<Extract<RecordEvent, { kind: K }>>;
}[RecordEvent['kind']];
type WithoutTime<T> = Omit<T, 'at'>;

/** Decodes in every chunking, checks that all agree, and returns what came out. */
export function decode(
  stream: Piece | readonly Piece[],
  options: Options = {},
  cuts: readonly number[] = [],
): Decoded[] {
  const pieces = Array.isArray(stream) ? (stream as readonly Piece[]) : [stream as Piece];
  const chunkings = pieces.map((piece) => (typeof piece === 'number' ? null : everyChunking(piece, cuts)));
  const count = everyChunking(new Uint8Array(0)).length;
  const runs = Array.from({ length: count }, (_, which) => {
    const run = recorder(options);
    let name = 'only gaps';
    let pushed = options.offset ?? 0;
    for (const [i, piece] of pieces.entries()) {
      const chunking = chunkings[i]?.[which];
      if (typeof piece === 'number') run.decoder.gap(piece, 0);
      else chunking?.feed((chunk) => run.decoder.push(chunk, 0));
      pushed += typeof piece === 'number' ? piece : piece.length;
      if (run.decoder.offset !== pushed) throw new Error(`offset ${run.decoder.offset}, not ${pushed}`);
      name = chunking?.name ?? name;
    }
    if (!options.open) run.decoder.end(0);
    return { name, events: run.events };
  });
  const expected = runs[0]!;
  const text = JSON.stringify(plain(expected.events));
  for (const { name, events } of runs) {
    if (JSON.stringify(plain(events)) !== text) {
      const both = JSON.stringify({ [expected.name]: plain(expected.events), [name]: plain(events) }, null, 1);
      throw new Error(`"${name}" and "${expected.name}" differ: ${both.slice(0, 8000)}`);
    }
  }
  return expected.events;
}

export function recorder(options: Options = {}): { readonly decoder: RecordDecoder; readonly events: Decoded[] } {
  const events: Decoded[] = [];
  const decoder = new RecordDecoder(
    options.side ?? 'client',
    (event) => {
      const { at: _, ...rest } = event;
      events.push(rest.kind === 'problem' ? rest : { ...rest, bytes: rest.bytes.slice() });
    },
    { offset: options.offset, midstream: options.midstream },
  );
  return { decoder, events };
}

/** The ranges [from, to) of the stream that the events account for, in their order. */
export function ranges(events: readonly Decoded[], length: number): (readonly [number, number])[] {
  return events.flatMap((event): (readonly [number, number])[] => {
    if (event.kind !== 'problem') {
      const end = event.offset + 8 + event.contentLength + event.paddingLength;
      return [[event.offset, Math.min(end, length)]];
    }
    return event.remark ? [] : [[event.offset, event.offset + event.length]];
  });
}

export function problems(events: readonly Decoded[]): string[] {
  return events.flatMap((event) =>
    event.kind === 'problem' ? [`${event.code} ${event.offset}+${event.length}${event.remark ? ' remark' : ''}`] : [],
  );
}

export function records(events: readonly Decoded[]): Exclude<Decoded, { kind: 'problem' }>[] {
  return events.filter((event) => event.kind !== 'problem');
}

function plain(events: readonly Decoded[]): unknown[] {
  return events.map((event) =>
    'bytes' in event ? { ...event, bytes: Buffer.from(event.bytes).toString('latin1') } : event,
  );
}
