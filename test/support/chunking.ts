import fc from 'fast-check';

/**
 * The same bytes in every chunking: whole, byte by byte, and cut at the places given (empty chunks among them), each of them also
 * with every chunk overwritten as soon as it was pushed. A parser that keeps borrowed bytes, or lets events depend on how its input
 * was cut, gives itself away.
 */
export interface Chunking {
  readonly name: string;
  /** Hands the bytes over, chunk by chunk. Each chunk is memory of its own. */
  feed(push: (chunk: Uint8Array) => void): void;
}

export function everyChunking(bytes: Uint8Array, cuts: readonly number[] = []): Chunking[] {
  const places = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
  const layouts: readonly (readonly [string, readonly number[]])[] = [
    ['whole', []],
    ['byte by byte', Array.from(bytes.keys()).slice(1)],
    [`cut at ${places.join(', ') || 'nothing'}`, places],
  ];
  return layouts.flatMap(([name, layout]) =>
    [false, true].map((poison) => ({
      name: poison ? `${name}, poisoned` : name,
      feed: (push: (chunk: Uint8Array) => void) => feed(bytes, layout, poison, push),
    })),
  );
}

/** Places to cut at: for everyChunking. */
export const anyCuts: fc.Arbitrary<number[]> = fc.array(fc.nat(100_000), { maxLength: 12 });

const POISON = 0xa5;

function feed(bytes: Uint8Array, cuts: readonly number[], poison: boolean, push: (chunk: Uint8Array) => void): void {
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    const chunk = bytes.slice(from, to);
    push(chunk);
    if (poison) chunk.fill(POISON);
    from = to;
  }
}
