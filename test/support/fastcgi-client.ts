import { connect } from 'node:net';
import type { Endpoint } from '../../src/model/connection.js';
import { KEEP_CONN, RecordType, Role } from '../../src/protocol/fastcgi/constants.js';
import {
  encodeBeginRequest,
  encodeParams,
  encodeStream,
  type StreamLayout,
} from '../../src/protocol/fastcgi/encoder.js';
import type { Pair } from '../../src/protocol/fastcgi/name-value.js';
import { RecordSocket, type SlowSend } from './record-socket.js';

export interface ClientRequest {
  readonly id?: number;
  readonly role?: number;
  readonly keep?: boolean;
  /** SCRIPT_NAME; a convenience for `params`. */
  readonly script?: string;
  readonly params?: readonly Pair[];
  readonly stdin?: Uint8Array | string;
  readonly data?: Uint8Array | string;
  readonly layout?: StreamLayout;
  readonly slowly?: SlowSend;
}

export interface ClientAnswer {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly appStatus: number;
  readonly protocolStatus: number;
}

/**
 * A small FastCGI client: the web server of a test. `connect`, then `request` for whole requests (several at once with different ids),
 * or `send` for any bytes and `until` for what must come of them; `halfClose`, `reset`, `close`, `ended` and `received` as they say.
 */
export class FastcgiClient extends RecordSocket {
  /** Rejects with the system's error. */
  static async connect(address: Endpoint): Promise<FastcgiClient> {
    const where =
      address.kind === 'tcp' ? { host: address.host, port: address.port } : { path: address.path.replace(/^@/, '\0') };
    const socket = connect({ ...where, allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new FastcgiClient(socket);
  }

  /** Resolves with END_REQUEST; rejects when the connection ends without it. The id is free again afterwards. */
  async request(request: ClientRequest): Promise<ClientAnswer> {
    const id = request.id ?? 1;
    const begin = this.records.length;
    const sent = this.send(encodeRequest(request), request.slowly);
    const end = await this.until(
      (records) => records.find((r, at) => at >= begin && r.type === RecordType.END_REQUEST && r.requestId === id),
      `END_REQUEST of request ${id}`,
    );
    await sent;
    const own = this.records.slice(begin).filter((record) => record.requestId === id);
    const content = (type: number) => Buffer.concat(own.filter((r) => r.type === type).map((r) => r.content));
    return {
      stdout: content(RecordType.STDOUT),
      stderr: content(RecordType.STDERR),
      appStatus: end.content.readUInt32BE(0),
      protocolStatus: end.content[4]!,
    };
  }
}

/** BEGIN_REQUEST, PARAMS, STDIN (none for an authorizer) and DATA (only for a filter), each stream ended. */
export function encodeRequest(request: ClientRequest): Uint8Array {
  const { id = 1, role = Role.RESPONDER, keep = false, script, params = [], layout } = request;
  const pairs: readonly Pair[] = script === undefined ? params : [['SCRIPT_NAME', script], ...params];
  const parts = [encodeBeginRequest(id, role, keep ? KEEP_CONN : 0), encodeParams(id, pairs, layout)];
  if (role !== Role.AUTHORIZER) parts.push(encodeStream('stdin', id, bytesOf(request.stdin), layout));
  if (role === Role.FILTER) parts.push(encodeStream('data', id, bytesOf(request.data), layout));
  return Buffer.concat(parts);
}

function bytesOf(content: Uint8Array | string | undefined): Uint8Array {
  return typeof content === 'string' ? new TextEncoder().encode(content) : (content ?? new Uint8Array(0));
}
