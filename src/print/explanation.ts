import { type LogCause, logCause } from '../diagnosis/logs/log-cause.js';
import { LOG_PRODUCT_NAMES, type LogMessage, type LogProduct, messageTitle } from '../diagnosis/logs/log-message.js';
import type { ExchangeRow } from '../model/exchange.js';
import { redactUrl } from '../model/redaction.js';
import type { Timestamp } from '../model/time.js';
import { visibleText } from '../model/visible-text.js';
import { dateTime } from './calendar.js';
import { clockTime } from './lines.js';
import { Page, type PageOptions } from './page.js';

/** What `fcgi-inspect explain` prints: each message that was found, what it means, what it may be, and how to see it. */

/** Lines that say the same. */
export interface ExplainedMessage {
  readonly message: LogMessage;
  /** Whose log it is in, when that is another's; null when the message is its own. */
  readonly passedOnBy: LogProduct | null;
  /** What to do about just the words of the line. */
  readonly advice: readonly string[];
  readonly count: number;
  /** Of those with a time: null when none has one. */
  readonly first: Timestamp | null;
  readonly last: Timestamp | null;
  /** One of them, as it may be shown: visible text. */
  readonly example: string;
  /** Where it stands; null for a text on the command line. */
  readonly place: string | null;
  /** The backend's address as the line names it; null when it does not. */
  readonly backend: string | null;
  /** Beside a capture; null without one. */
  readonly requests: ExplainedRequests | null;
}

export interface ExplainedRequests {
  /** The lines are about these; or, when lines name none, these have findings that they speak of. */
  readonly areNamed: boolean;
  /** The lines name requests, if not these. */
  readonly namesRequest: boolean;
  readonly count: number;
  /** The first of them, a line each. */
  readonly shown: readonly string[];
}

export interface ExplainOptions extends PageOptions {
  /** Logs that were read: to be followed when one looks at the traffic. */
  readonly logs: readonly string[];
}

/** Causes that are told in full; of the others, what they are and how to tell. */
const IN_FULL = 2;
const EXAMPLE_SHOWN = 600;

export function explanation(found: ExplainedMessage, options: ExplainOptions): string {
  const { message, passedOnBy, count, first, last, example, place, requests } = found;
  const page = new Page(options);
  const from = passedOnBy === null ? '' : `${LOG_PRODUCT_NAMES[passedOnBy]} passes on from `;
  page.say(`${from}${LOG_PRODUCT_NAMES[message.product]}: ${messageTitle(message)}`, { colour: 'bold' });
  page.say(occurrence(count, first, last, place));
  page.say(example.length > EXAMPLE_SHOWN ? `${example.slice(0, EXAMPLE_SHOWN)}…` : example, {
    indent: 2,
    colour: 'dim',
  });
  page.blank();
  page.say(message.meaning);
  const versions = message.versions === null ? '' : ` (${message.versions})`;
  page.say(`It is written in ${message.source}${versions}.`, { colour: 'dim' });
  for (const step of [...message.advice, ...found.advice]) page.say(step, { mark: '- ' });
  const causes = message.modes.map((id) => logCause(id, message.product, passedOnBy));
  if (causes.length > 0) {
    page.blank();
    page.say(causes.length === 1 ? 'What it is' : 'What it may be, likeliest first', { colour: 'bold' });
  }
  for (const [index, cause] of causes.entries())
    tell(page, cause, causes.length > 1 ? index + 1 : null, index < IN_FULL);
  if (requests !== null) tellRequests(page, requests);
  const command = commandFor(causes, found.backend, options.logs);
  if (command !== null) {
    page.blank();
    page.say('To see it', { colour: 'bold' });
    page.say('Point the web server at port 9001, and:', { indent: 2 });
    // Not broken: it is to be copied.
    return `${page.take()}    ${command}\n`;
  }
  return page.take();
}

/** A request of the capture, in a line. */
export function requestWords(row: ExchangeRow, redact: boolean): string {
  const { n, at, method, url, status, outcome, findings } = row;
  const what = outcome === 'completed' && status !== null ? String(status) : (outcome ?? 'open');
  const where = url === null ? '' : ` ${redact ? redactUrl(url) : url}`;
  return visibleText(
    `#${n} ${clockTime(at)} ${what} ${method ?? '-'}${where}${findings.length === 0 ? '' : `: ${findings.join(', ')}`}`,
    REQUEST_SHOWN,
  );
}

const REQUEST_SHOWN = 400;

function tell(page: Page, cause: LogCause, number: number | null, inFull: boolean): void {
  const indent = number === null ? 2 : 4;
  page.say(`${cause.title} (${cause.id})`, { indent: 2, mark: number === null ? '' : `${number}. ` });
  if (inFull && cause.meaning !== '' && cause.meaning !== cause.title) page.say(cause.meaning, { indent });
  page.say(cause.wire, { indent, mark: 'On the wire: ' });
  if (!inFull) {
    if (cause.isFound) page.say(`What to change: fcgi-inspect rules ${cause.id}`, { indent });
    return;
  }
  for (const step of cause.advice) page.say(step, { indent, mark: '- ' });
}

function tellRequests(page: Page, { areNamed, namesRequest, count, shown }: ExplainedRequests): void {
  page.blank();
  page.say('In the capture', { colour: 'bold' });
  const requests = count === 1 ? '1 request' : `${count} requests`;
  if (areNamed) page.say(`It is about ${requests}:`, { indent: 2 });
  else if (namesRequest) {
    const others = count === 0 ? '' : ` ${requests} had what it speaks of:`;
    page.say(`The request that it names is not in the capture.${others}`, { indent: 2 });
  } else if (count === 0) page.say('No request that it could be about.', { indent: 2 });
  else page.say(`It does not say which request it is about. ${requests} had what it speaks of:`, { indent: 2 });
  for (const line of shown) page.say(line, { indent: 4 });
  if (count > shown.length) page.say(`… and ${count - shown.length} more`, { indent: 4 });
}

function occurrence(count: number, first: Timestamp | null, last: Timestamp | null, place: string | null): string {
  const where = place === null ? '' : ` ${place}`;
  if (first === null || last === null) return count === 1 ? `Once${where}` : `${count} times, first${where}`;
  if (count === 1) return `Once, ${dateTime(first, 0)}${where}`;
  return `${count} times, from ${dateTime(first, 0)}${where} to ${dateTime(last, first)}`;
}

/** @param backend as a line names it: `127.0.0.1:9000`, `tcp:127.0.0.1:9000`, `unix:/run/php.sock` */
function commandFor(causes: readonly LogCause[], backend: string | null, logs: readonly string[]): string | null {
  const ids = causes.filter(({ isFound }) => isFound).map(({ id }) => id);
  if (ids.length === 0) return null;
  const address = backend === null ? null : /^(?:tcp:)?([\w.[\]:-]+:\d+|unix:\/[\w./@-]+)$/.exec(backend)?.[1];
  const filter = ids.map((id) => `finding == ${id}`).join(' or ');
  const options = logs.filter((log) => /^[\w./@+,-]+$/.test(log)).map((log) => ` --log ${log}`);
  return `fcgi-inspect --listen 9001 --upstream ${address ?? '9000'}${options.join('')} -Y '${filter}'`;
}
