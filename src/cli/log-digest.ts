import { lineAdvice } from '../diagnosis/logs/line-advice.js';
import { LINE_READ, logEntry } from '../diagnosis/logs/log-entry.js';
import type { LogMessage, LogProduct } from '../diagnosis/logs/log-message.js';
import { speaksOf } from '../diagnosis/logs/log-tie.js';
import { logPlace } from '../model/evidence-words.js';
import type { Exchange } from '../model/exchange.js';
import { rowOf } from '../model/exchange-row.js';
import { redactLine } from '../model/redaction.js';
import type { Timestamp } from '../model/time.js';
import { visibleText } from '../model/visible-text.js';
import { type ExplainedMessage, requestWords } from '../print/index.js';
import { LogBook } from '../session/log-book.js';
import { logTime } from '../session/log-time.js';

/** Requests of a capture that are named for one message. */
const REQUESTS_SHOWN = 10;

interface Group {
  readonly message: LogMessage;
  readonly passedOnBy: LogProduct | null;
  readonly advice: readonly string[];
  count: number;
  first: Timestamp | null;
  last: Timestamp | null;
  readonly example: string;
  readonly place: string | null;
  backend: string | null;
  /** Of one of its lines at least, which request it is about can be read. */
  namesRequest: boolean;
  readonly named: Requests;
  readonly alike: Requests;
}

interface Requests {
  count: number;
  readonly shown: string[];
}

/** Lines of logs, those with the same message together, and the requests of a capture that they are about. */
export class LogDigest {
  lines = 0;
  readonly unknown: { count: number; example: string | null } = { count: 0, example: null };
  /** Of the lines, for a capture that is read beside them. */
  readonly book = new LogBook({ isLive: false, aliases: () => [] });
  private readonly groups = new Map<LogMessage, Group>();

  constructor(private readonly redact: boolean) {}

  /** @param file null for a text that is in none */
  add(text: string, file: string | null, line: number | null): void {
    if (text.trim() === '') return;
    this.lines += 1;
    const { messages, stamp, facts } = logEntry(text);
    if (messages.length === 0) {
      this.unknown.count += 1;
      this.unknown.example ??= text;
      return;
    }
    this.book.add(file ?? '', line, text, null);
    const at = stamp === null ? null : logTime(stamp, null);
    // What a web server passes on tells more than that it does.
    const { message } = messages.at(-1)!;
    let group = this.groups.get(message);
    if (group === undefined) {
      group = {
        message,
        passedOnBy: messages.length > 1 ? messages[0]!.message.product : null,
        advice: lineAdvice(message, text.slice(0, LINE_READ)),
        count: 0,
        first: null,
        last: null,
        example: visibleText(this.redact ? redactLine(text) : text),
        place: file === null ? null : logPlace({ file, line }),
        backend: null,
        namesRequest: false,
        named: { count: 0, shown: [] },
        alike: { count: 0, shown: [] },
      };
      this.groups.set(message, group);
    }
    group.count += 1;
    group.backend ??= facts.backend ?? null;
    group.namesRequest ||= facts.target !== undefined || facts.script !== undefined;
    if (at === null) return;
    group.first = Math.min(group.first ?? at, at);
    group.last = Math.max(group.last ?? at, at);
  }

  /** A request of the capture, with its findings. */
  meet(exchange: Exchange): void {
    const row = rowOf(exchange);
    const told = new Set(this.book.entriesOf(exchange).flatMap(({ messages }) => messages.at(-1)?.message ?? []));
    for (const [message, group] of this.groups) {
      const isAlike = row.findings.some((finding) => speaksOf(message, finding));
      const requests = told.has(message) ? group.named : isAlike ? group.alike : null;
      if (requests === null) continue;
      requests.count += 1;
      if (requests.shown.length < REQUESTS_SHOWN) requests.shown.push(requestWords(row, this.redact));
    }
  }

  /** Those that are said most often first. */
  messages(hasCapture: boolean): readonly ExplainedMessage[] {
    return [...this.groups.values()]
      .sort((a, b) => b.count - a.count)
      .map(({ named, alike, namesRequest, ...group }) => {
        const areNamed = named.count > 0;
        return { ...group, requests: hasCapture ? { areNamed, namesRequest, ...(areNamed ? named : alike) } : null };
      });
  }
}
