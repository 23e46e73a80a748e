/**
 * Whether two byte streams that were found somewhere (in a capture, on any port, perhaps from the middle) speak the protocol that is
 * looked for, and which of the two is the web server's. The contract between those who find streams and those who know protocols.
 */
export type Recognition =
  /** Not yet: more bytes are needed. */
  | { readonly kind: 'undecided' }
  /** It is, and `client` says which of the two parties is the web server. */
  | { readonly kind: 'recognised'; readonly client: Party }
  /** It is not; `protocol` says what it looks like in words ("HTTP", "TLS"), null when nobody knows. */
  | { readonly kind: 'foreign'; readonly protocol: string | null };

/** The two ends of a connection before their roles are known. */
export type Party = 0 | 1;

/** The beginning of what one party said, as far as it was seen. */
export interface StreamStart {
  /** From the first byte seen up to the first gap, or as far as a recogniser looks (RECOGNITION_WINDOW). Borrowed. */
  readonly bytes: Uint8Array;
  /** The first byte seen is the first of the stream (the SYN was seen, or the source knows). */
  readonly fromStart: boolean;
  /** No more bytes will be added: a gap follows, the stream has ended, or the window is full. */
  readonly complete: boolean;
}

/** How much of each stream a recogniser may ask for before it must decide; more than the two largest records (65 535 + 255 + 8) and a header. */
export const RECOGNITION_WINDOW = 132 * 1024;

/** Pure. Must decide when both streams are complete. */
export type Recogniser = (first: StreamStart, second: StreamStart) => Recognition;
