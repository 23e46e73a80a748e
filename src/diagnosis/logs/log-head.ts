import type { LogProduct } from './log-message.js';

/**
 * What stands before and around a message in the logs that we know: when it was written, by whom, how grave, and about which client and
 * request. Each format is told by its own beginning, with patterns that are anchored and never go back over what they have read.
 */

export interface LogHead {
  readonly product: LogProduct | null;
  readonly stamp: LogStamp | null;
  /** The message without its head and without what is told of the request below. */
  readonly message: string;
  readonly facts: LogFacts;
}

/** A time as the log has it. */
export interface LogStamp {
  /** Microseconds since the epoch as if the clock on the wall showed UTC. */
  readonly wall: number;
  /** The wall is one of the time zone of whoever wrote it, which is not told; else it is UTC. */
  readonly isLocal: boolean;
  /** Microseconds: the message was written within so many from it on. */
  readonly resolution: number;
}

/** What a line says of the request it is about. */
export interface LogFacts {
  readonly method?: string;
  /** Path and query, as far as the line has them. */
  readonly target?: string;
  readonly host?: string;
  /** The client of the web server. */
  readonly client?: string;
  readonly clientPort?: number;
  /** Who connected to the backend: its host. */
  readonly peer?: string;
  readonly peerPort?: number;
  /** The backend's address, as the line writes it. */
  readonly backend?: string;
  readonly script?: string;
}

const MICRO = 1_000_000;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export function logHead(line: string): LogHead {
  for (const read of FORMATS) {
    const head = read(line);
    if (head !== null) return head;
  }
  const inner = withoutFrame(line);
  if (inner !== null) return logHead(inner);
  return { product: null, stamp: null, message: line, facts: {} };
}

type Format = (line: string) => LogHead | null;

const NGINX = /^(\d{4})\/(\d\d)\/(\d\d) (\d\d):(\d\d):(\d\d) \[[a-z]{1,8}\] \d{1,10}#\d{1,10}: (?:\*\d{1,20} )?/;

function nginx(line: string): LogHead | null {
  const found = NGINX.exec(line);
  if (found === null) return null;
  const rest = line.slice(found[0].length);
  // Whoever sends a request can write the same into it: the last one is nginx's own.
  const at = rest.lastIndexOf(', client: ');
  const tail = at < 0 ? '' : rest.slice(at);
  const request = between(tail, ', request: "', '"')?.split(' ');
  const upstream = between(tail, ', upstream: "', '"');
  return {
    product: 'nginx',
    stamp: local(found, 1),
    message: at < 0 ? rest : rest.slice(0, at),
    facts: facts({
      method: request?.[0],
      target: request?.[1],
      host: between(tail, ', host: "', '"'),
      client: /^, client: ([\da-fA-F.:]{2,45}|unix:)/.exec(tail)?.[1],
      backend: upstream?.replace(/^fastcgi:\/\//, '').replace(/:$/, ''),
    }),
  };
}

const LIGHTTPD = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?: \([\w.-]{1,40}\.\d{1,6}\) ?/;

function lighttpd(line: string): LogHead | null {
  const found = LIGHTTPD.exec(line);
  return found === null
    ? null
    : { product: 'lighttpd', stamp: local(found, 1), message: line.slice(found[0].length), facts: {} };
}

const APACHE =
  /^\[[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))? (\d{4})\] ((?:\[[^\][]{0,80}\] ){0,6})/;
/** Between the error number and the message, or before both. */
const APACHE_CLIENT = /(?:^|: )(\[client ([\da-fA-F.:]{2,45}?)(?::(\d{1,5}))?\] )/;

function apache(line: string): LogHead | null {
  const found = APACHE.exec(line);
  if (found === null) return null;
  const [, month, day, hour, minute, second, fraction, year, brackets] = found;
  const marks = brackets!;
  let message = marks.includes('[client ')
    ? `${clientOf(marks)}${line.slice(found[0].length)}`
    : line.slice(found[0].length);
  const client = APACHE_CLIENT.exec(message.slice(0, 300));
  if (client !== null) {
    const at = message.indexOf(client[1]!);
    message = message.slice(0, at) + message.slice(at + client[1]!.length);
  }
  const referer = message.lastIndexOf(', referer: ');
  return {
    product: 'apache',
    stamp: localOf(year!, monthOf(month!), day!, hour!, minute!, second!, fraction),
    message: referer < 0 ? message : message.slice(0, referer),
    facts: facts({ client: client?.[2], clientPort: client?.[3] === undefined ? undefined : Number(client[3]) }),
  };
}

function clientOf(brackets: string): string {
  const at = brackets.indexOf('[client ');
  return brackets.slice(at, brackets.indexOf('] ', at) + 2);
}

const FPM =
  /^\[(\d\d)-([A-Z][a-z]{2})-(\d{4}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?( [\w/+-]{1,40})?\] (?:([A-Z]{4,7}): )?(?:pid \d{1,10}, \w{1,60}\(\), line \d{1,6}: )?/;

/** PHP-FPM's log, and the file of PHP's error_log, which names the time zone and no level. */
function fpm(line: string): LogHead | null {
  const found = FPM.exec(line);
  if (found === null) return null;
  const [, day, month, year, hour, minute, second, fraction, zone, level] = found;
  const stamp = localOf(year!, monthOf(month!), day!, hour!, minute!, second!, fraction);
  return {
    product: level === undefined ? 'php' : 'php-fpm',
    stamp: zone === ' UTC' ? { ...stamp, isLocal: false } : stamp,
    message: line.slice(found[0].length),
    facts: {},
  };
}

/** Of Caddy's JSON, and of what its console format has behind the message. */
interface CaddyEntry {
  readonly level?: unknown;
  readonly ts?: unknown;
  readonly msg?: unknown;
  readonly error?: unknown;
  readonly request?: { readonly [name: string]: unknown };
  readonly uri?: unknown;
}

function caddyJson(line: string): LogHead | null {
  if (!line.startsWith('{')) return null;
  const entry = json(line);
  if (entry === null || typeof entry.msg !== 'string' || (entry.ts === undefined && entry.level === undefined))
    return null;
  return caddy(entry, entry.msg, caddyStamp(entry.ts));
}

const CADDY_CONSOLE = /^(\d{4})\/(\d\d)\/(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{1,9})\t([A-Z]{4,6})\t/;

function caddyConsole(line: string): LogHead | null {
  const found = CADDY_CONSOLE.exec(line);
  if (found === null) return null;
  const parts = line.slice(found[0].length).split('\t');
  const last = parts.at(-1) ?? '';
  const entry = last.startsWith('{') ? json(last) : null;
  const texts = entry === null ? parts : parts.slice(0, -1);
  // The logger's name stands before the message, where it has one.
  return caddy(entry ?? {}, texts.at(-1) ?? '', { ...local(found, 1), isLocal: false });
}

/** Go's network errors name both ends of a connection. */
const GO_ENDS = /\b(?:read|write) tcp [\w.:[\]%-]{1,80}:(\d{1,5})->([\w.:[\]%-]{1,80}:\d{1,5}): /;

function caddy(entry: CaddyEntry, said: string, stamp: LogStamp | null): LogHead {
  const error = text(entry.error);
  const request = typeof entry.request === 'object' && entry.request !== null ? entry.request : {};
  const port = Number(text(request.remote_port));
  const message = error === undefined || error === said ? said : `${said}: ${error}`;
  const ends = GO_ENDS.exec(message);
  return {
    product: 'caddy',
    stamp,
    message,
    facts: facts({
      backend: ends?.[2],
      peerPort: ends === null ? undefined : Number(ends[1]),
      method: text(request.method),
      target: text(request.uri),
      host: text(request.host),
      client: text(request.remote_ip),
      clientPort: Number.isInteger(port) && port > 0 ? port : undefined,
    }),
  };
}

function json(line: string): CaddyEntry | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** Seconds as a number; or ISO, as `time_format` can say. */
function caddyStamp(ts: unknown): LogStamp | null {
  if (typeof ts === 'number' && Number.isFinite(ts)) return { wall: ts * MICRO, isLocal: false, resolution: 1_000 };
  if (typeof ts !== 'string') return null;
  const iso = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)$/.test(ts)
    ? Date.parse(ts)
    : Number.NaN;
  return Number.isNaN(iso) ? null : { wall: iso * 1_000, isLocal: false, resolution: ts.includes('.') ? 1_000 : MICRO };
}

const H2O = /^\[lib\/handler\/fastcgi\.c\] in request:([^:]{0,64}):/;

function h2o(line: string): LogHead | null {
  const found = H2O.exec(line);
  if (found === null) return null;
  const path = found[1]!;
  // It cuts paths of 32 characters and more.
  const target = path.endsWith('...') ? undefined : path;
  return { product: 'h2o', stamp: null, message: line.slice(found[0].length), facts: facts({ target }) };
}

const HAPROXY =
  /(?:^|[ \]])([\da-fA-F.:]{2,45}):(\d{1,5}) \[(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d):(\d\d):(\d\d)\.(\d{3})\] \S{1,100} (\S{1,200}) [-+\d/]{9,60} [-+\d]{1,5} \+?\d{1,20} \S{1,200} \S{1,200} ([A-Za-z-]{4}) /;

/** The httplog format, behind whatever syslog puts before it. Its time is that of the client's connection, to the millisecond. */
function haproxy(line: string): LogHead | null {
  const found = HAPROXY.exec(line.slice(0, HAPROXY_HEAD));
  if (found === null) return null;
  const [, client, port, day, month, year, hour, minute, second, fraction, , flags] = found;
  const request = between(line.slice(found.index + found[0].length), ' "', '"')?.split(' ');
  return {
    product: 'haproxy',
    stamp: localOf(year!, monthOf(month!), day!, hour!, minute!, second!, fraction),
    message: `${flags!.slice(0, 2)}--`,
    facts: facts({ method: request?.[0], target: request?.[1], client, clientPort: Number(port) }),
  };
}

/** What is before the flags in a line that any client can make longer only behind them. */
const HAPROXY_HEAD = 1_000;

const OPENLITESPEED =
  /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{1,6}) \[[A-Z]{3,8}\] (?:\[[^\][]{0,200}\] ?){0,6}/;

function openLiteSpeed(line: string): LogHead | null {
  const found = OPENLITESPEED.exec(line);
  if (found === null) return null;
  // [STDERR] is no bracket of the head.
  const stderr = line.indexOf('[STDERR]');
  const from = stderr >= 0 && stderr < found[0].length ? stderr : found[0].length;
  return { product: 'openlitespeed', stamp: local(found, 1), message: line.slice(from), facts: {} };
}

const FORMATS: readonly Format[] = [nginx, lighttpd, apache, fpm, caddyJson, caddyConsole, openLiteSpeed, h2o, haproxy];

/** What journald, syslog and docker put before a line of somebody else's. */
const FRAMES = [
  /^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [\w.-]{1,100} [\w./@-]{1,100}(?:\[\d{1,10}\])?: /,
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.]{0,10}(?:Z|[+-]\d\d:\d\d) (?:[\w.-]{1,100} [\w./@-]{1,100}(?:\[\d{1,10}\])?: )?/,
  /^[\w.-]{1,100} {1,40}\| /,
];

function withoutFrame(line: string): string | null {
  for (const frame of FRAMES) {
    const found = frame.exec(line);
    if (found !== null) return line.slice(found[0].length);
  }
  return null;
}

/** @param found year, month, day, hour, minute, second and, where there is one, the fraction, from group `from` on */
function local(found: RegExpExecArray, from: number): LogStamp {
  const [year, month, day, hour, minute, second, fraction] = found.slice(from);
  return localOf(year!, Number(month) - 1, day!, hour!, minute!, second!, fraction);
}

function localOf(
  year: string,
  month: number,
  day: string,
  hour: string,
  minute: string,
  second: string,
  fraction: string | undefined,
): LogStamp {
  const whole = Date.UTC(Number(year), month, Number(day), Number(hour), Number(minute), Number(second)) * 1_000;
  const digits = /^\d{1,6}/.exec(fraction ?? '')?.[0] ?? '';
  return {
    wall: whole + Number(digits.padEnd(6, '0')),
    isLocal: true,
    resolution: digits === '' ? MICRO : 10 ** (6 - digits.length),
  };
}

function monthOf(name: string): number {
  return Math.max(0, MONTHS.indexOf(name));
}

function between(line: string, before: string, after: string): string | undefined {
  const from = line.indexOf(before);
  if (from < 0) return undefined;
  const to = line.indexOf(after, from + before.length);
  return to < 0 ? undefined : line.slice(from + before.length, to);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Without those that are not known. */
function facts(known: { [Name in keyof LogFacts]: LogFacts[Name] | undefined }): LogFacts {
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)) as LogFacts;
}
