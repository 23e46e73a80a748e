import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Daemon, until } from './daemon.js';
import { commandOf } from './requirements.js';
import type { Workspace } from './workspace.js';

/** KiB of kernel buffer: a 50 MB download at loopback speed must not lose a packet while tcpdump writes. */
const KERNEL_BUFFER_KIB = 131_072;
const TSHARK_OUTPUT_LIMIT = 256 * 1024 * 1024;

/** How many records of each type, by the type's number (specification section 8, FCGI_BEGIN_REQUEST 1 …). */
export type RecordCounts = Readonly<Record<number, number>>;

/** tcpdump on the loopback interface, writing what passes one TCP port. */
export class PacketCapture {
  private constructor(
    private readonly daemon: Daemon,
    private readonly port: number,
    readonly file: string,
  ) {}

  static async start(workspace: Workspace, port: number): Promise<PacketCapture> {
    const file = workspace.path(`port-${port}.pcap`);
    const daemon = await workspace.start({
      name: 'tcpdump',
      command: commandOf('tcpdump'),
      // -s 0: whole packets; loopback carries segments of 64 KiB. -Z root: keep the right to write in the test's directory.
      args: [
        '-i',
        'lo',
        '-n',
        '-U',
        '-s',
        '0',
        '-B',
        String(KERNEL_BUFFER_KIB),
        '-Z',
        'root',
        '-w',
        file,
        `port ${port}`,
      ],
      ready: ({ stderr }) => stderr.includes('listening on lo'),
      stopSignal: 'SIGINT',
    });
    return new PacketCapture(daemon, port, file);
  }

  /**
   * Ends the capture with everything that has passed until now in the file. The kernel hands packets over in blocks, and what lies in an
   * unfinished one is lost at the end: so a datagram is sent after them, and tcpdump is stopped when that is in the file.
   */
  async stop(): Promise<void> {
    const marker = Buffer.from(`end of capture ${this.port} ${process.hrtime.bigint()}`);
    await sendDatagram(this.port, marker);
    await until('tcpdump has written what it saw', () => readFileSync(this.file).includes(marker));
    await this.daemon.stop();
    const dropped = /(\d+) packets? dropped by kernel/.exec(this.daemon.stderr)?.[1];
    if (dropped !== '0') throw new Error(`tcpdump lost packets: ${this.daemon.stderr}`);
  }

  /** The records that tshark sees in the capture. */
  async records(): Promise<RecordCounts> {
    return countRecords(this.file, this.port);
  }
}

/** Counts the FastCGI records of a capture file by type, as tshark dissects them on one TCP port. */
export async function countRecords(file: string, port: number): Promise<RecordCounts> {
  const { stdout } = await promisify(execFile)(
    commandOf('tshark'),
    [
      ...['-r', file, '-d', `tcp.port==${port},fcgi`, '-Y', 'fcgi'],
      ...['-o', 'tcp.desegment_tcp_streams:TRUE', '-o', 'tcp.reassemble_out_of_order:TRUE'],
      // All occurrences: a packet with several records gives them in one line, with commas between.
      ...['-T', 'fields', '-E', 'occurrence=a', '-E', 'aggregator=,', '-e', 'fcgi.type'],
    ],
    { maxBuffer: TSHARK_OUTPUT_LIMIT },
  );
  const counts: Record<number, number> = {};
  for (const type of stdout.split(/[\s,]+/).filter((text) => text !== '')) {
    counts[Number(type)] = (counts[Number(type)] ?? 0) + 1;
  }
  return counts;
}

function sendDatagram(port: number, bytes: Uint8Array): Promise<void> {
  const socket = createSocket('udp4');
  return new Promise((resolve, reject) => {
    socket.send(bytes, port, '127.0.0.1', (error) => {
      socket.close();
      if (error) reject(error);
      else resolve();
    });
  });
}
