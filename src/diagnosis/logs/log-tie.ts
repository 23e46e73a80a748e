import type { Endpoint } from '../../model/connection.js';
import type { LogLine } from '../../model/log-line.js';
import { MICROSECONDS_PER_SECOND } from '../../model/time.js';
import type { LogEntry } from './log-entry.js';
import type { LogFacts } from './log-head.js';
import type { LogMessage } from './log-message.js';
import type { LogSubject } from './log-subject.js';

/**
 * Whether a log line is about a request. It must have been written when the request was there, as exactly as its stamp tells; what it
 * says of URL, script, client and backend must not be another's; and it must either name the request, or be of a kind that the
 * request's findings are of, written just when it ended.
 */

/** A line that was read, with its time in the time of the traffic. */
export interface DatedEntry extends Omit<LogLine, 'isNamed' | 'meaning'> {
  readonly entry: LogEntry;
}

export type Tie = 'named' | 'fits';

/** Microseconds. Web servers look at the clock now and then only, so that a line can seem to be older than what it tells of. */
const BEFORE_BEGIN = MICROSECONDS_PER_SECOND;
const AFTER_END = 5 * MICROSECONDS_PER_SECOND;
/** Of one that does not name its request, less is believed. */
const BEFORE_END = 0.05 * MICROSECONDS_PER_SECOND;
const RIGHT_AFTER_END = 1.5 * MICROSECONDS_PER_SECOND;

export function tieOf(line: DatedEntry, subject: LogSubject): Tie | null {
  const { entry } = line;
  if (!isInTime(line, subject, BEFORE_BEGIN, AFTER_END)) return null;
  if (isAnother(entry.facts, subject)) return null;
  if (isNamed(entry.facts, subject)) return 'named';
  if (line.at === null || subject.end === null) return null;
  return entry.messages.some(({ message }) => fits(message, line, subject)) ? 'fits' : null;
}

/** The states that a message speaks of, for those that do not name a request. */
export function speaksOf({ modes, bearsOn, proves, turns }: LogMessage, finding: string): boolean {
  return [modes, bearsOn, proves, turns?.from ?? []].some((ids) => ids.includes(finding));
}

function fits(message: LogMessage, line: DatedEntry, subject: LogSubject): boolean {
  if (!subject.findings.some((finding) => speaksOf(message, finding))) return false;
  if (message.when === 'during') return isInTime(line, subject, 0, RIGHT_AFTER_END);
  const { at, resolution } = line;
  return at! + resolution > subject.end! - BEFORE_END && at! < subject.end! + RIGHT_AFTER_END;
}

function isInTime({ at, resolution }: DatedEntry, subject: LogSubject, before: number, after: number): boolean {
  if (at === null) return true;
  return at + resolution > subject.begin - before && (subject.end === null || at < subject.end + after);
}

/** What the line says and the request contradicts. */
function isAnother(facts: LogFacts, subject: LogSubject): boolean {
  const { method, target, host, client, clientPort, backend, peer, peerPort, script } = facts;
  return (
    differ(method, subject.method) ||
    (target !== undefined && subject.targets.size > 0 && !subject.targets.has(target)) ||
    (script !== undefined && subject.scripts.size > 0 && !subject.scripts.has(script)) ||
    (host !== undefined && subject.host !== null && !isSameHost(host, subject.host)) ||
    (isAddress(client) && differ(client, subject.client)) ||
    differ(clientPort, subject.clientPort) ||
    differ(peer, subject.peer) ||
    differ(peerPort, subject.peerPort) ||
    (backend !== undefined && isElsewhere(backend, subject.backends))
  );
}

function isNamed({ target, script, client, clientPort, peerPort }: LogFacts, subject: LogSubject): boolean {
  if (target !== undefined) return subject.targets.has(target);
  if (script !== undefined) return subject.scripts.has(script);
  // Ports are used again, but not within seconds.
  if (peerPort !== undefined) return peerPort === subject.peerPort;
  return clientPort !== undefined && clientPort === subject.clientPort && client === subject.client;
}

function differ<T extends string | number>(said: T | undefined, known: T | null): boolean {
  return said !== undefined && known !== null && said !== known;
}

/** `HTTP_HOST $host`, as Debian has it, leaves out the port that stands in the log: only two ports can differ. */
function isSameHost(said: string, known: string): boolean {
  const [, saidName, saidPort] = HOST.exec(said.toLowerCase())!;
  const [, knownName, knownPort] = HOST.exec(known.toLowerCase())!;
  return saidName === knownName && (saidPort === undefined || knownPort === undefined || saidPort === knownPort);
}

/** An IPv6 address without brackets has no port. */
const HOST = /^(\[[^\]]*\]|[^:]*|.*?)(?::(\d{1,5}))?$/s;

function isAddress(client: string | undefined): boolean {
  return client !== undefined && /^[\d.]+$|:/.test(client) && client !== 'unix:';
}

/** Hosts have several names and addresses: only ports and paths tell. */
function isElsewhere(backend: string, endpoints: readonly Endpoint[]): boolean {
  const address = backend.replace(/^tcp:/, '');
  const path = address.startsWith('unix:') ? address.slice(5) : address.startsWith('/') ? address : null;
  if (path !== null) return endpoints.every((endpoint) => endpoint.kind === 'tcp' || endpoint.path !== path);
  const port = /:(\d{1,5})$/.exec(address)?.[1];
  if (port === undefined) return false;
  return endpoints.every((endpoint) => endpoint.kind === 'unix' || endpoint.port !== Number(port));
}
