import { LINKTYPE, writeCapture } from './capture-file.js';
import { type Derivation, ethernetFrames, SHORT, sampleFrames } from './derivation.js';
import { changed, FLAG, type Frame, packetsOf, wrapped } from './frame.js';

/** So that the wrap lies in the middle of the params and of the answer. */
const BEFORE_WRAP = { client: 300, server: 100 } as const;
const OVERLAP = 500;

/** What happens to TCP segments on the way, and to captures of them. */
export const TCP: readonly Derivation[] = [
  {
    ...SHORT,
    file: 'lost-body.pcap',
    shows: 'packets that were never captured, in the middle of record contents',
    look: 'gaps in STDOUT of the second and the third request; the framing goes on, nothing else is missing',
    how: 'segments of an Ethernet, two of them dropped',
    // The second segments of answers that begin with a long record.
    derive: () => written(without(ethernetFrames('short.pcap'), ['1 server 1', '2 server 1'])),
  },
  {
    ...SHORT,
    file: 'lost-header.pcap',
    shows: 'packets that were never captured, with record headers in them',
    look: 'in STDIN of the second request and after the first STDOUT record of the third the next record has to be found; how many bytes were skipped is told',
    how: 'segments of an Ethernet, two of them dropped',
    // nginx sends the form in two records, and the second begins in the second segment. The first STDOUT record ends with the sixth.
    derive: () => written(without(ethernetFrames('short.pcap'), ['1 client 1', '2 server 6'])),
  },
  {
    ...SHORT,
    from: ['nginx-keep-conn.pcap'],
    file: 'mid-stream.pcap',
    shows: 'tcpdump started in the middle of a kept connection, between a request and its answer',
    look: 'no SYN; the first answer has no BEGIN_REQUEST; then five whole requests; the side of the web server is known by what it says',
    how: 'the first packets dropped',
    connections: 1,
    requests: 6,
    outcomes: { completed: 6 },
    derive: () => {
      const frames = sampleFrames('nginx-keep-conn.pcap');
      return written(frames.slice(frames.findIndex(({ side, payload }) => side === 'server' && payload.length > 0)));
    },
  },
  {
    ...SHORT,
    from: ['nginx-keep-conn.pcap'],
    file: 'mid-record.pcap',
    shows: 'tcpdump started in the middle of a record',
    look: 'the first bytes belong to a STDOUT record whose header was not captured; the next header has to be found',
    how: "segments of an Ethernet, those before the last answer's third dropped",
    connections: 1,
    requests: 1,
    outcomes: { completed: 1 },
    derive: () => {
      const frames = ethernetFrames('nginx-keep-conn.pcap');
      const request = frames.findLastIndex(({ side, payload }) => side === 'client' && payload.length > 0);
      const answer = frames.findIndex(
        ({ side, payload }, at) => at > request && side === 'server' && payload.length > 0,
      );
      return written(frames.slice(answer + 2));
    },
  },
  {
    ...SHORT,
    file: 'reordered.pcap',
    shows: 'segments out of order, captured twice, and sent again with other boundaries',
    look: 'the same requests as in short.pcap, no gaps',
    how: 'segments of an Ethernet; of each run the second before the first, the third twice, and a retransmission that overlaps the last two',
    derive: () => written(reordered(ethernetFrames('short.pcap'))),
  },
  {
    ...SHORT,
    file: 'sequence-wrap.pcap',
    shows: 'sequence numbers that wrap',
    look: "in the middle of each request's params and of each answer the sequence number goes from 2³² - 1 to 0",
    how: 'sequence numbers moved',
    derive: () => written(rebased(sampleFrames('short.pcap'))),
  },
  {
    ...SHORT,
    file: 'port-reuse.pcap',
    shows: 'three connections, one after the other, from the same client port',
    look: 'a SYN with another sequence number begins a new connection',
    how: 'client ports overwritten',
    derive: () => {
      const clientPort = 40_000;
      return written(sampleFrames('short.pcap').map((frame) => changed(frame, { clientPort })));
    },
  },
  {
    ...SHORT,
    from: ['nginx-keep-conn.pcap'],
    file: 'keep-alive.pcap',
    shows: 'keep-alive probes on a kept connection',
    look: 'before each request a probe without data and one with a byte of garbage, as some systems send it, at the sequence number before the next; nothing of it is data',
    how: 'probes and their answers inserted',
    connections: 1,
    requests: 6,
    outcomes: { completed: 6 },
    derive: () => written(probed(sampleFrames('nginx-keep-conn.pcap'))),
  },
  {
    ...SHORT,
    file: 'tap-web-server.pcap',
    and: ['tap-backend.pcap'],
    shows: 'two files that overlap in time, as a network tap writes them: one for each direction',
    look: 'together the requests of short.pcap; each alone is one side of every conversation',
    how: 'divided by direction',
    derive: () =>
      (['client', 'server'] as const).map((wanted) => {
        return written(sampleFrames('short.pcap').filter(({ side }) => side === wanted));
      }),
  },
];

function written(frames: readonly Frame[]): Uint8Array {
  return writeCapture({ linkType: LINKTYPE.ethernet, packets: packetsOf(frames) });
}

/** @param lost "1 client 2": the third segment with data of the second connection's client */
function without(frames: readonly Frame[], lost: readonly string[]): Frame[] {
  const counts = new Map<string, number>();
  const kept = frames.filter(({ connection, side, payload }) => {
    if (payload.length === 0) return true;
    const who = `${connection} ${side}`;
    const number = counts.get(who) ?? 0;
    counts.set(who, number + 1);
    return !lost.includes(`${who} ${number}`);
  });
  if (frames.length - kept.length !== lost.length) throw new Error('not all of those to be lost are there');
  return kept;
}

/** A run is what one write became: segments with data of one side, one after the other. */
function reordered(frames: readonly Frame[]): Frame[] {
  const result: Frame[] = [];
  for (let at = 0; at < frames.length; ) {
    const first = frames[at]!;
    let end = at + 1;
    while (end < frames.length && first.payload.length > 0 && follows(frames[end - 1]!, frames[end]!)) end += 1;
    const run = frames.slice(at, end);
    if (run.length >= 3) {
      [run[0], run[1]] = [run[1]!, run[0]!];
      run.splice(3, 0, run[2]!);
      run.push(again(run.at(-2)!, run.at(-1)!));
    }
    result.push(...run);
    at = end;
  }
  // Each time belongs to a place in the file, as capture tools give it.
  let last = 0;
  return result.map((frame) => {
    last = Math.max(last, frame.at);
    return changed(frame, { at: last });
  });
}

function follows(before: Frame, after: Frame): boolean {
  return (
    after.payload.length > 0 &&
    after.connection === before.connection &&
    after.side === before.side &&
    after.sequence === wrapped(before.sequence + before.payload.length)
  );
}

/** The last OVERLAP bytes of a segment and the first of the next, sent once more. */
function again(before: Frame, after: Frame): Frame {
  const tail = before.payload.subarray(-OVERLAP);
  return changed(after, {
    sequence: wrapped(after.sequence - tail.length),
    payload: Uint8Array.from([...tail, ...after.payload.subarray(0, OVERLAP)]),
  });
}

function rebased(frames: readonly Frame[]): Frame[] {
  const starts = new Map<string, number>();
  const key = (connection: number, side: string) => `${connection} ${side}`;
  for (const { connection, side, sequence, flags } of frames) {
    if (flags & FLAG.syn) starts.set(key(connection, side), sequence);
  }
  return frames.map((frame) => {
    const moved = (side: 'client' | 'server', number: number) =>
      wrapped(number - starts.get(key(frame.connection, side))! - BEFORE_WRAP[side]);
    const other = frame.side === 'client' ? 'server' : 'client';
    return changed(frame, {
      sequence: moved(frame.side, frame.sequence),
      // The first SYN acknowledges nothing.
      acknowledgment: frame.flags & FLAG.ack ? moved(other, frame.acknowledgment) : 0,
    });
  });
}

/** Before each request but the first, halfway in the silence: a probe of the client and its answer, without and with a byte. */
function probed(frames: readonly Frame[]): Frame[] {
  return frames.flatMap((frame, index) => {
    const before = frames[index - 1];
    const request = frame.side === 'client' && frame.payload.length > 0;
    const answered = frames.slice(0, index).findLast(({ payload }) => payload.length > 0);
    if (!request || !before || answered?.side !== 'server') return [frame];
    const probe = {
      at: Math.floor((before.at + frame.at) / 2),
      sequence: wrapped(frame.sequence - 1),
      flags: FLAG.ack,
    };
    const answer = changed(answered, {
      at: probe.at,
      sequence: frame.acknowledgment,
      acknowledgment: frame.sequence,
      flags: FLAG.ack,
      payload: new Uint8Array(),
    });
    return [
      changed(frame, { ...probe, payload: new Uint8Array() }),
      answer,
      changed(frame, { ...probe, payload: Uint8Array.of(0x2a) }),
      answer,
      frame,
    ];
  });
}
