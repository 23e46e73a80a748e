import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Endpoint } from '../../../src/model/connection.js';
import { dice } from '../conversation.js';
import { material } from './hostile-bytes.js';
import type { Material } from './pieces.js';
import { FuzzedSide, manner } from './side.js';

/** A connection played through takes some milliseconds, on a busy machine with megabytes some seconds: what takes longer hangs. */
const HANGS = 30_000;

/** One connection, made from its number alone. */
interface Plan {
  readonly material: Material;
  readonly client: ReturnType<typeof manner>;
  readonly server: ReturnType<typeof manner>;
}

/** What was played, to be compared with what the program tells. */
export interface Played {
  readonly name: string;
  /** The web server's address as the program tells it. */
  readonly client: string;
  /** What each side sent; null when a side broke the connection off, so that nobody knows how much got out. */
  readonly sent: { readonly client: number; readonly server: number } | null;
  /** What each side got. */
  readonly got: { readonly client: number; readonly server: number };
  readonly stdout: Buffer | null;
}

function plan(seed: number, lane: number, index: number): Plan {
  const roll = dice(Math.imul(seed, 0x9e3779b1) ^ Math.imul(lane + 1, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35));
  const made = material(roll);
  const cut = made.stdout === null && roll(3) === 0 ? 1 + roll(3) : 0;
  const client = manner(made.client, roll, (cut & 1) !== 0);
  const server = manner(made.server, roll, (cut & 2) !== 0);
  return { material: made, client, server: made.stdout === null ? server : { ...server, listensFirst: true } };
}

/**
 * A route through the proxy of its own, on which one connection is played after the other: so it is known which connection of the backend
 * belongs to which of the web server, without a word in the bytes.
 */
export class Lane {
  readonly played: Played[] = [];
  private arrived: (socket: Socket) => void = () => {};

  private constructor(
    private readonly number: number,
    readonly listen: Endpoint,
    readonly upstream: Endpoint,
    private readonly server: Server,
  ) {}

  /** @param server made to listen at `upstream` */
  static async open(number: number, listen: Endpoint, upstream: Endpoint): Promise<Lane> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    server.listen(upstream.kind === 'tcp' ? { host: upstream.host, port: upstream.port } : { path: upstream.path });
    await once(server, 'listening');
    const lane = new Lane(number, listen, upstream, server);
    server.on('connection', (socket) => lane.arrived(socket));
    return lane;
  }

  /** @throws Error that says which connection it was and what went wrong */
  async play(seed: number, index: number): Promise<void> {
    const { material: made, client, server } = plan(seed, this.number, index);
    const fault = (what: string): Error =>
      new Error(
        `${what}; connection ${this.number}.${index} of seed ${seed} (${made.name}; ${describe(client)}; ${describe(server)})`,
      );
    const accepted = new Promise<Socket>((resolve) => {
      this.arrived = resolve;
    });
    const { listen } = this;
    const socket = connect(
      listen.kind === 'tcp'
        ? { host: listen.host, port: listen.port, allowHalfOpen: true }
        : { path: listen.path, allowHalfOpen: true },
    );
    // Nobody breaks off before: afterwards the system would not tell the port any more.
    const connected = new Promise<string>((resolve) => {
      socket.once('connect', () =>
        resolve(listen.kind === 'tcp' ? `${socket.localAddress}:${socket.localPort}` : 'unix:'),
      );
      socket.once('close', () => resolve('not known'));
    });
    const a = new FuzzedSide(socket, client, server.says);
    let b: FuzzedSide | null = null;
    const backend = async (): Promise<void> => {
      b = new FuzzedSide((await accepted).resume(), server, client.says);
      await Promise.all([b.play(connected), b.closed]);
    };
    const whole = Promise.all([a.play(Promise.all([accepted, connected])), a.closed, backend()]);
    const limit = new AbortController();
    const hung = delay(HANGS, true, { signal: limit.signal }).catch(() => false);
    const late = await Promise.race([whole.then(() => false), hung]);
    limit.abort();
    const there = b as FuzzedSide | null;
    const facts = `web server got ${a.got} of ${server.says.length} (${a.error ?? (a.ended ? 'end' : 'no end')}), backend got ${there?.got} of ${client.says.length} (${there?.error ?? (there?.ended ? 'end' : 'no end')})`;
    if (late) {
      a.destroy();
      there?.destroy();
      throw fault(`it hangs: ${facts}`);
    }
    if (a.wrongAt !== null)
      throw fault(`the web server got other bytes than were sent, from byte ${a.wrongAt}; ${facts}`);
    if (there!.wrongAt !== null)
      throw fault(`the backend got other bytes than were sent, from byte ${there!.wrongAt}; ${facts}`);
    const cut = client.end.how !== 'fin' || server.end.how !== 'fin';
    const exact = a.got === server.says.length && there!.got === client.says.length && a.ended && there!.ended;
    if (!cut && !exact) throw fault(`not everything arrived: ${facts}`);
    this.played.push({
      name: `connection ${this.number}.${index} of seed ${seed} (${made.name})`,
      client: await connected,
      sent: cut ? null : { client: client.says.length, server: server.says.length },
      got: { client: a.got, server: there!.got },
      stdout: made.stdout,
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

function describe({ says, cuts, end, reads }: ReturnType<typeof manner>): string {
  return `${says.length} bytes in ${cuts.length + 1} writes, reads ${reads}, ${end.how}`;
}
