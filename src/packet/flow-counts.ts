/** What a capture was made of, for one line about it and for answering why something is not shown. */
export interface FlowCounts {
  packets: number;
  /** Packets of which less was captured than was on the wire. */
  cut: number;
  /** Packets whose headers are incomplete or contradict themselves. */
  malformed: number;
  /** Fragments of IP packets, and how many packets were never complete. */
  fragments: number;
  fragmentsLost: number;
  /** Packets that are not understood or not TCP: by LINKTYPE_ number, by EtherType, by IP protocol. Bounded by their fields' widths or NUMBERS_LIMIT. */
  readonly linkTypes: Map<number, number>;
  readonly etherTypes: Map<number, number>;
  readonly protocols: Map<number, number>;
  /** TCP segments on ports that were not asked for. */
  otherPorts: number;
  /** TCP segments that begin no connection and belong to none. */
  stray: number;
  /** Connections that were shown. */
  connections: number;
  /** Shown connections that were given up while they were open, as there were more than can be remembered. */
  evicted: number;
  /** Connections that speak something else, by its name; null when nobody knows. */
  readonly foreign: Map<string | null, number>;
  /** Bytes of shown connections that the capture does not have. */
  missingBytes: number;
  /**
   * What was captured of shown connections and belongs nowhere in them, so that it is not shown: numbers far from theirs, bytes that
   * come after a gap in their place was told, or before where a connection that was joined under way begins, or after its sender's end,
   * answers on evicted connections, and resets that nobody heeded. Segments, and their bytes; what is merely sent again is none of it.
   */
  discardedSegments: number;
  discardedBytes: number;
}

/** Link types and EtherTypes are what a hostile file says; more different ones than this are counted under -1. */
const NUMBERS_LIMIT = 256;

export function emptyCounts(): FlowCounts {
  return {
    packets: 0,
    cut: 0,
    malformed: 0,
    fragments: 0,
    fragmentsLost: 0,
    linkTypes: new Map(),
    etherTypes: new Map(),
    protocols: new Map(),
    otherPorts: 0,
    stray: 0,
    connections: 0,
    evicted: 0,
    foreign: new Map(),
    missingBytes: 0,
    discardedSegments: 0,
    discardedBytes: 0,
  };
}

/** One more of `number`; true when it is the first. */
export function countNumber(counts: Map<number, number>, number: number): boolean {
  const key = counts.has(number) || counts.size < NUMBERS_LIMIT ? number : -1;
  const before = counts.get(key) ?? 0;
  counts.set(key, before + 1);
  return before === 0;
}
