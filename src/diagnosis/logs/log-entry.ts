import { type LogFacts, type LogHead, logHead } from './log-head.js';
import type { LogMessage, LogProduct } from './log-message.js';
import type { Values } from './message-pattern.js';
import { LOG_MESSAGES, MESSAGES_OF, STDERR_MESSAGES } from './messages/index.js';

/**
 * A line of a log, read: its head, the messages that it holds (what a web server passes on from STDERR is one inside another), and what
 * it says of its request.
 */
export interface LogEntry {
  readonly product: LogProduct | null;
  readonly stamp: LogHead['stamp'];
  /** The line's own message first, then the one that it carries. Empty when none is known. */
  readonly messages: readonly FoundMessage[];
  readonly facts: LogFacts;
}

export interface FoundMessage {
  readonly message: LogMessage;
  readonly values: Values;
}

/**
 * What is looked at of a line, in characters. nginx writes 2 or 4 KB, Apache 8, PHP-FPM 1 unless told otherwise; Caddy as much as the
 * request's headers take.
 */
export const LINE_READ = 32 * 1024;

export function logEntry(line: string): LogEntry {
  const read = line.length > LINE_READ ? line.slice(0, LINE_READ) : line;
  const head = logHead(read);
  const messages = messagesIn(head.message, head.product);
  return { ...head, messages, facts: factsOf(head.facts, messages) };
}

function messagesIn(text: string, product: LogProduct | null): readonly FoundMessage[] {
  const trimmed = text.trim();
  const outer =
    (product === null ? null : find(MESSAGES_OF[product], trimmed)) ??
    // Containers put several logs into one, and services write into one another's.
    find(product === null ? LOG_MESSAGES : STDERR_MESSAGES, trimmed);
  if (outer === null) return [];
  const { carries } = outer.message;
  const inner = carries === null ? null : find(STDERR_MESSAGES, outer.values[carries] ?? '');
  return inner === null ? [outer] : [outer, inner];
}

function find(messages: readonly LogMessage[], text: string): FoundMessage | null {
  for (const message of messages) {
    const values = message.pattern.match(text);
    if (values !== null) return { message, values };
  }
  return null;
}

/** What the message itself says of its request goes before what stands around it. */
function factsOf(around: LogFacts, messages: readonly FoundMessage[]): LogFacts {
  const values = messages[0]?.values ?? {};
  const { uri, request, script, socket, address, host, ip } = values;
  const [method, target] = request?.split(' ') ?? [];
  const { backend, peerPort } = ends(socket ?? address);
  return {
    ...around,
    ...(host === undefined ? {} : { host }),
    // `<uri>?<query>`, whether there is a query or not.
    ...(uri === undefined ? {} : { target: uri.replace(/\?$/, '') }),
    ...(method === undefined || target === undefined ? {} : { method, target }),
    ...(script === undefined || script === '' ? {} : { script }),
    ...(backend === undefined || around.backend !== undefined ? {} : { backend }),
    ...(ip === undefined ? {} : { peer: ip }),
    ...(peerPort === undefined ? {} : { peerPort }),
  };
}

/** Go names both ends: `127.0.0.1:41858->127.0.0.1:9000`. */
function ends(address: string | undefined): { readonly backend?: string; readonly peerPort?: number } {
  if (address === undefined) return {};
  const arrow = address.indexOf('->');
  if (arrow < 0) return { backend: address };
  const port = /:(\d{1,5})$/.exec(address.slice(0, arrow))?.[1];
  return { backend: address.slice(arrow + 2), ...(port === undefined ? {} : { peerPort: Number(port) }) };
}
