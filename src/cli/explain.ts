import { statSync } from 'node:fs';
import { readLog } from '../capture/log-file.js';
import { EntryLines } from '../diagnosis/logs/entry-lines.js';
import { LOG_PRODUCT_NAMES, messageTitle } from '../diagnosis/logs/log-message.js';
import { nearestMessage } from '../diagnosis/logs/nearest-message.js';
import { FcgiInspectError } from '../model/errors.js';
import { redactLine } from '../model/redaction.js';
import { visibleText } from '../model/visible-text.js';
import { explanation } from '../print/index.js';
import { openCapture } from './capture-session.js';
import { LogDigest } from './log-digest.js';
import type { Writer } from './writer.js';

/** What `fcgi-inspect explain` was asked. */
export interface ExplainSettings {
  /** A text, or paths of logs; `-` is standard input. */
  readonly what: readonly string[];
  /** Captures of the same time. */
  readonly captures: readonly string[];
  readonly redact: boolean;
  readonly color: boolean;
  /** Columns of the terminal; null for a pipe or file. */
  readonly width: number | null;
}

/** A text that is cut where it is quoted in a message. */
const QUOTED = 200;

/**
 * Says what log lines mean.
 *
 * @returns the exit status: 0 when something was recognised, 1 when nothing was
 * @throws FcgiInspectError when a log or a capture cannot be read
 */
export async function explain(settings: ExplainSettings, stdout: Writer): Promise<number> {
  const { captures, redact, color, width } = settings;
  const digest = new LogDigest(redact);
  const logs = await read(settings, digest);
  if (captures.length > 0) await besideCaptures(captures, digest);
  const found = digest.messages(captures.length > 0);
  for (const [index, message] of found.entries()) {
    if (index > 0) await stdout.write('\n');
    await stdout.write(explanation(message, { color, width, logs }));
  }
  await stdout.write(remainder(digest, found.length));
  return found.length > 0 ? 0 : 1;
}

/** @returns the logs among what was to be read */
async function read({ what }: ExplainSettings, digest: LogDigest): Promise<readonly string[]> {
  if (what.every((one) => one === '-' || isFile(one))) {
    for (const path of what)
      await readLog(path, (text, line) => digest.add(text, path === '-' ? 'standard input' : path, line));
    return what.filter((path) => path !== '-');
  }
  const missing = what.length === 1 ? what[0]! : '';
  if (missing.startsWith('/') && !missing.includes(' '))
    throw new FcgiInspectError('not-found', `there is no log ${JSON.stringify(missing)}`);
  // A line that was not quoted comes in words.
  const entries = new EntryLines((text) => digest.add(text, null, null));
  for (const line of what.join(' ').split('\n')) entries.push(line, null);
  entries.end();
  return [];
}

function isFile(path: string): boolean {
  try {
    return !statSync(path).isDirectory();
  } catch {
    return false;
  }
}

async function besideCaptures(files: readonly string[], digest: LogDigest): Promise<void> {
  const limits = { maxRequests: null, maxSpool: null };
  const work = { kind: 'capture', files, ports: null, logs: [], ...limits } as const;
  const session = await openCapture(work, digest.book);
  try {
    // All of it first: what a line is about is known when nothing else can be it any more.
    while (await session.advance());
    for (let cursor = 0; ; ) {
      const { items, cursor: next, done } = await session.settled(cursor, PAGE);
      for (const item of items) if (item.kind === 'exchange') digest.meet(item.exchange);
      cursor = next;
      if (done || items.length === 0) return;
    }
  } finally {
    await session.close();
  }
}

const PAGE = 100;

/** What was not recognised. */
function remainder({ unknown, lines }: LogDigest, found: number): string {
  if (unknown.count === 0) return found === 0 ? 'There is no line to explain.\n' : '';
  const shown = visibleText(unknown.example ?? '', QUOTED);
  if (lines > 1) {
    const which = found === 0 ? 'None of' : `\n${unknown.count} of`;
    return `${which} ${lines} lines ${found === 0 ? 'is' : 'are not'} a message about FastCGI that is known.\n`;
  }
  const nearest = nearestMessage(unknown.example ?? '');
  const guess =
    nearest === null
      ? ''
      : `It is not the same as, but resembles ${LOG_PRODUCT_NAMES[nearest.product]}'s "${messageTitle(nearest)}": fcgi-inspect explain explains that.\n`;
  return `This is not a message about FastCGI that is known: ${redactLine(shown)}\n${guess}`;
}
