import type { ConnectionId } from '../model/connection.js';
import type { CaptureSource, ConnectionSink } from '../model/connection-event.js';
import { formatBytes } from '../model/quantity.js';
import type { Recogniser } from '../model/recognition.js';
import type { SourceProgress } from '../model/source-progress.js';
import { MICROSECONDS_PER_MILLISECOND, type Timestamp } from '../model/time.js';
import { visibleText } from '../model/visible-text.js';
import type { FlowCounts } from '../packet/flow-counts.js';
import { FlowTable } from '../packet/flow-table.js';
import type { Packet } from '../packet/packet.js';
import { CaptureFiles } from './capture-files.js';

export interface FileSourceOptions {
  /** Paths of captures, `-` for standard input. */
  readonly paths: readonly string[];
  /** The server ports that carry the protocol; null: it is recognised by content. */
  readonly ports: readonly number[] | null;
  readonly recognise: Recogniser;
  /** What people should know, one line each. */
  readonly warn: (text: string) => void;
}

interface PacketComment {
  readonly name: string;
  readonly text: string;
}

/** Comments on one packet that are told; more are somebody's joke. */
const COMMENTS_WAITING = 20;

/** Capture files as a source: packets put together to connections, as fast as somebody takes them. */
export class FileSource implements CaptureSource {
  readonly description: readonly string[];
  /** The time up to which the capture has been read; that of this machine before there is a packet. */
  now: Timestamp = Date.now() * MICROSECONDS_PER_MILLISECOND;
  private table: FlowTable | null = null;
  private stopped = false;
  private finished = false;
  private pending: Promise<boolean> | null = null;
  private sink: ConnectionSink = () => undefined;
  /** The connection that the last packet had something to say for; 0 for none. */
  private spoken: ConnectionId = 0;

  private constructor(
    private readonly files: CaptureFiles,
    private readonly options: FileSourceOptions,
    /** On the packet that comes next. */
    private readonly comments: PacketComment[],
  ) {
    this.description = files.inputs.map(
      ({ name, format, isGzip }) => `${visibleText(name)} (${format}${isGzip ? ', gzip' : ''})`,
    );
  }

  /**
   * Opens all of them and reads as much as tells their format.
   * @throws FcgiInspectError when one cannot be opened or is no capture
   */
  static async open(options: FileSourceOptions): Promise<FileSource> {
    const comments: PacketComment[] = [];
    const files = await CaptureFiles.open(options.paths, {
      warn: options.warn,
      comment: ({ subject, packet, text }, { name }) => {
        const what = subject === 'packet' ? `packet ${packet}` : `the ${subject}`;
        const shown = `comment on ${what}: ${visibleText(text)}`;
        if (subject !== 'packet') options.warn(`${name}: ${shown}`);
        else if (comments.length < COMMENTS_WAITING) comments.push({ name, text: shown });
      },
    });
    return new FileSource(files, options, comments);
  }

  /** Whether all bytes can be read again where they came from: no pipe, nothing packed. */
  get isSeekable(): boolean {
    return this.files.inputs.every((input) => input.readAt !== null);
  }

  get progress(): SourceProgress {
    return { read: this.files.bytesRead, size: this.files.size };
  }

  async start(sink: ConnectionSink): Promise<void> {
    const { recognise, ports, warn } = this.options;
    this.sink = sink;
    this.table = new FlowTable({
      sink: (event) => {
        this.spoken = event.connection;
        sink(event);
      },
      recognise,
      ports,
      warn,
    });
  }

  advance(): Promise<boolean> {
    this.pending = this.step();
    return this.pending;
  }

  /** Stops reading at once: there is nobody to be waited for. */
  async stop(): Promise<void> {
    this.stopped = true;
    // What waits for a pipe is given up. Files stay open: bodies are read from them.
    await Promise.all(this.files.inputs.map((input) => (input.readAt === null ? input.close() : null)));
    await this.pending;
    this.finish();
  }

  /** Reads `into` from where an event's origin says; how many bytes there were. */
  readAt(origin: number, into: Uint8Array): Promise<number> {
    return this.files.readAt(origin, into);
  }

  /** Lets go of the files. */
  close(): Promise<void> {
    return this.files.close();
  }

  private async step(): Promise<boolean> {
    if (!this.stopped && (await this.files.next(this.take))) return true;
    this.finish();
    return false;
  }

  private readonly take = (packet: Packet): void => {
    this.now = packet.at;
    this.spoken = 0;
    this.table!.packet(packet);
    if (this.comments.length > 0) this.remark(packet.at);
  };

  /** What somebody wrote about a packet is told with the connection that it was of, if it is one that is shown. */
  private remark(at: Timestamp): void {
    for (const { name, text } of this.comments.splice(0)) {
      if (this.spoken === 0) this.options.warn(`${name}: ${text}`);
      else this.sink({ kind: 'note', connection: this.spoken, at, text });
    }
  }

  private finish(): void {
    if (this.finished || this.table === null) return;
    this.finished = true;
    this.table.finish();
    for (const text of remarks(this.table.counts, this.options.ports)) this.options.warn(text);
  }
}

/** What a person should know of a capture beside its requests. */
function remarks(counts: FlowCounts, ports: readonly number[] | null): string[] {
  const texts: string[] = [];
  if (counts.connections === 0) texts.push(nothingFound(counts, ports));
  if (counts.missingBytes > 0) {
    texts.push(
      `${formatBytes(counts.missingBytes)} of these connections are not in the capture: they are shown as gaps`,
    );
  }
  const { cut, malformed, fragmentsLost, discardedSegments, discardedBytes, evicted } = counts;
  if (discardedSegments > 0)
    texts.push(
      `${some(discardedSegments, 'segment')} with ${formatBytes(discardedBytes)} fit nowhere in these connections and ${discardedSegments === 1 ? 'is' : 'are'} not shown: numbers far off, or too late`,
    );
  if (evicted > 0)
    texts.push(
      `${some(evicted, 'connection')} ${evicted === 1 ? 'was' : 'were'} given up while open: there were more at a time than can be followed`,
    );
  if (cut > 0)
    texts.push(
      `${some(cut, 'packet')} ${cut === 1 ? 'was' : 'were'} cut by the snap length: tcpdump -s 0 captures ${cut === 1 ? 'it' : 'them'} whole`,
    );
  if (malformed > 0)
    texts.push(
      `${some(malformed, 'packet')} could not be read: ${malformed === 1 ? 'its' : 'their'} headers are broken`,
    );
  if (fragmentsLost > 0)
    texts.push(`${some(fragmentsLost, 'IP packet')} ${fragmentsLost === 1 ? 'lacks' : 'lack'} fragments`);
  return texts;
}

function nothingFound(counts: FlowCounts, ports: readonly number[] | null): string {
  const { packets, foreign, otherPorts } = counts;
  const others = [...foreign].map(([protocol, count]) => `${count} ${protocol ?? 'unknown'}`).join(', ');
  const unread = notRead(counts);
  if (ports !== null) {
    const elsewhere = otherPorts > 0 ? ` (${some(otherPorts, 'segment')} on other ports)` : '';
    return `no connection on port ${ports.join(', ')} in ${some(packets, 'packet')}${elsewhere}${unread}; without --port FastCGI is found by content`;
  }
  const seen = others === '' ? '' : `; other connections: ${others}`;
  return `no FastCGI was found in ${some(packets, 'packet')}${seen}${unread}; --port 9000 shows the connections of a port whatever they say`;
}

const ETHERTYPES: ReadonlyMap<number, string> = new Map([
  [0x0806, 'ARP'],
  [0x8847, 'MPLS'],
  [0x8864, 'PPPoE'],
]);
const PROTOCOLS: ReadonlyMap<number, string> = new Map([
  [1, 'ICMP'],
  [4, 'IP in IP'],
  [17, 'UDP'],
  [41, 'IPv6 in IP'],
  [47, 'GRE'],
  [50, 'ESP'],
  [58, 'ICMPv6'],
  [132, 'SCTP'],
]);
/** Kinds of packets that are named, the most frequent first. */
const KINDS_NAMED = 3;

/** `; not read: 82 of GRE`: what there was instead of TCP. Tunnels hide it. */
function notRead({ etherTypes, protocols, linkTypes }: FlowCounts): string {
  const kinds = [
    ...[...protocols].map(([number, count]) => [PROTOCOLS.get(number) ?? `IP protocol ${number}`, count] as const),
    ...[...etherTypes].map(
      ([number, count]) => [ETHERTYPES.get(number) ?? `EtherType 0x${number.toString(16)}`, count] as const,
    ),
    ...[...linkTypes].map(([number, count]) => [`link type ${number}`, count] as const),
  ].sort(([, a], [, b]) => b - a);
  if (kinds.length === 0) return '';
  const named = kinds.slice(0, KINDS_NAMED).map(([kind, count]) => `${count} of ${kind}`);
  return `; not read: ${named.join(', ')}${kinds.length > KINDS_NAMED ? ', …' : ''}`;
}

function some(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
