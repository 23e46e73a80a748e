import {
  holdsFields,
  isPacked,
  REDACTABLE_LIMIT,
  redactHeaderBlock,
  redactRequestBody,
} from '../content/redacted-body.js';
import { StoredBody } from '../content/stored-body.js';
import type { Exchange, StreamName } from '../model/exchange.js';
import type { Inspection } from '../model/inspection.js';

/** One stream's content as it may be written out. */
export interface StreamContent {
  /** Each call reads it from its beginning. */
  slices(): AsyncIterable<Uint8Array>;
  /** Bytes of the stream that are not there; known after a reading to the end. */
  missing(): number;
  /** It is not what was on the wire: secrets were replaced. */
  readonly redacted: boolean;
}

/**
 * Null when it must be withheld: it may hold secrets and cannot be looked through, because it is too large, packed or has holes.
 * @param exchange as it is, not redacted: where the header block ends and what type the body has are looked up there
 */
export async function streamContent(
  exchange: Exchange,
  stream: StreamName,
  inspection: Inspection,
  redact: boolean,
): Promise<StreamContent | null> {
  const { bytes, missing } = exchange.streams[stream];
  const plain = new PlainContent(inspection, exchange.n, stream, bytes + missing);
  if (!redact || bytes === 0) return plain;
  if (stream === 'stdin' && holdsFields(exchange.params)) return redactedFields(exchange, plain);
  if (stream === 'stdout') {
    // What is left of a header block whose end is not known any more may hold secrets.
    const { response } = exchange;
    if (missing > 0 && (response === null || response.length === 0 || !response.complete)) return null;
    if (response !== null) return redactedHead(exchange, plain);
  }
  return plain;
}

class PlainContent implements StreamContent {
  readonly redacted = false;
  #read: () => number = () => 0;

  constructor(
    readonly inspection: Inspection,
    readonly n: number,
    readonly stream: StreamName,
    readonly expected: number,
  ) {}

  slices(): StoredBody {
    const body = this.part(0, this.expected);
    this.#read = () => body.read;
    return body;
  }

  part(from: number, to: number): StoredBody {
    return new StoredBody(this.inspection, this.n, this.stream, from, to);
  }

  missing(): number {
    return this.expected - this.#read();
  }
}

async function redactedFields(exchange: Exchange, plain: PlainContent): Promise<StreamContent | null> {
  if (plain.expected > REDACTABLE_LIMIT || isPacked(exchange.params)) return null;
  const body = await whole(plain.slices());
  if (plain.missing() > 0) return null;
  const redacted = redactRequestBody(exchange.params, body);
  return { slices: () => sequence([redacted]), missing: () => 0, redacted: redacted !== body };
}

async function redactedHead(exchange: Exchange, plain: PlainContent): Promise<StreamContent | null> {
  const length = exchange.response?.length ?? 0;
  const stored = plain.part(0, length);
  const block = await whole(stored);
  if (stored.read < length) return null;
  const redacted = redactHeaderBlock(exchange, block);
  if (redacted === block) return plain;
  let rest: StoredBody | null = null;
  return {
    slices: () => {
      rest = plain.part(length, plain.expected);
      return sequence([redacted], rest);
    },
    missing: () => plain.expected - length - (rest?.read ?? 0),
    redacted: true,
  };
}

async function* sequence(
  first: Iterable<Uint8Array>,
  second: AsyncIterable<Uint8Array> | Iterable<Uint8Array> = [],
): AsyncGenerator<Uint8Array> {
  yield* first;
  yield* second;
}

async function whole(slices: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const slice of slices) parts.push(slice);
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}
