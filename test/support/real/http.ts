import { createHash } from 'node:crypto';
import { type Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';

export interface HttpRequest {
  readonly port: number;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Whose connections are used; else the request has one of its own. */
  readonly agent?: Agent;
  /** Called with each chunk as it comes, and how many bytes came before it. `leave` breaks the connection off. */
  readonly onChunk?: (chunk: Uint8Array, before: number, leave: () => void) => void;
  /** Given at once, to break the connection off while no answer has come yet. */
  readonly onLeave?: (leave: () => void) => void;
}

export interface HttpResponse {
  /** Null when no response head arrived. */
  readonly status: number | null;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
  readonly sha256: string;
  /** The body ended as its framing says; false when the connection broke off, by whomever. */
  readonly complete: boolean;
  /** The system's or Node's name for what broke; null when nothing did. */
  readonly error: string | null;
}

/** One HTTP request. Resolves in any case: what broke off is told, not thrown. */
export function http(options: HttpRequest): Promise<HttpResponse> {
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    let before = 0;
    let response: IncomingMessage | null = null;
    let error: string | null = null;

    const outgoing = request({
      host: '127.0.0.1',
      port: options.port,
      path: options.path,
      method: options.method ?? (options.body === undefined ? 'GET' : 'POST'),
      headers: {
        ...(options.body === undefined ? {} : { 'content-length': byteLength(options.body) }),
        ...options.headers,
      },
      agent: options.agent ?? false,
    });
    const leave = () => outgoing.destroy();
    const broken = (reason: Error & { code?: string }) => {
      error ??= reason.code ?? reason.message;
    };
    outgoing.on('error', broken);
    outgoing.on('response', (message) => {
      response = message;
      message.on('error', broken);
      message.on('data', (chunk: Uint8Array) => {
        chunks.push(chunk);
        options.onChunk?.(chunk, before, leave);
        before += chunk.length;
      });
    });
    outgoing.on('close', () => {
      const body = Buffer.concat(chunks);
      resolve({
        status: response?.statusCode ?? null,
        headers: response?.headers ?? {},
        body,
        sha256: sha256(body),
        complete: response?.complete ?? false,
        error,
      });
    });
    options.onLeave?.(leave);
    outgoing.end(options.body);
  });
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function byteLength(body: Uint8Array | string): number {
  return typeof body === 'string' ? Buffer.byteLength(body) : body.length;
}
