import { corroborate, type TiedLine } from '../diagnosis/logs/corroborate.js';
import { claim } from '../diagnosis/logs/log-claim.js';
import { type LogEntry, logEntry } from '../diagnosis/logs/log-entry.js';
import { type LogSubject, logSubject } from '../diagnosis/logs/log-subject.js';
import { type DatedEntry, tieOf } from '../diagnosis/logs/log-tie.js';
import type { Endpoint } from '../model/connection.js';
import type { Exchange } from '../model/exchange.js';
import type { Finding } from '../model/finding.js';
import type { LogLine } from '../model/log-line.js';
import { MICROSECONDS_PER_SECOND, type Timestamp } from '../model/time.js';
import { Deque } from './deque.js';
import { logTime } from './log-time.js';

/** Lines of one file that are kept, and the characters in them: of a live log the last hours, of a whole file its end. */
const LINES_KEPT = 50_000;
const CHARACTERS_KEPT = 16 * 1024 * 1024;
/** Of a line, what is shown. */
const LINE_KEPT = 2_000;
/** Requests with findings that are remembered, to know which of them a line is about. */
const SUBJECTS_KEPT = 1_000;
/** At one time not more lines of a file, and not more requests, are looked at: a flood of errors must not hold up the traffic. */
const LINES_LOOKED_AT = 300;
const SUBJECTS_LOOKED_AT = 200;
/** How long before and after a request its lines are looked for, in microseconds; what is about it is then asked more exactly. */
const AROUND = 10 * MICROSECONDS_PER_SECOND;
/** Milliseconds for which readers wait for what a log may still say of a request that failed. Web servers and PHP-FPM write at once. */
const PATIENCE = 1_000;
/** And for what another log says beside the proof. */
const AFTER_PROOF = 150;

export interface LogBookOptions {
  /** Lines come while the traffic does, each a moment after what it is about. */
  readonly isLive: boolean;
  /** Under which other addresses the web server knows a backend. */
  readonly aliases: (server: Endpoint) => readonly Endpoint[];
  /** Milliseconds. */
  readonly clock?: () => number;
}

/** What was read of a line holds on to all of it. */
interface Kept {
  readonly entry: DatedEntry;
  readonly characters: number;
}

interface Remembered {
  subject: LogSubject;
  /** Until when its readers wait for its lines; by the clock of this process. */
  patience: number;
}

/**
 * Lines of logs, and the requests that they may be about. Nothing is done for requests that went well: a line is read once, when it
 * comes; lines are looked for when a request that has findings settles, and when somebody looks at one.
 */
export class LogBook {
  /** Lines taken in, known or not. */
  lines = 0;
  /** By file, in the order in which they came, which is that of their times but for a little. */
  private readonly files = new Map<string, { readonly entries: Deque<Kept>; characters: number }>();
  /** Settled requests with findings; the last is the last. */
  private readonly remembered = new Map<number, Remembered>();
  private readonly clock: () => number;
  private listener: (n: number) => void = () => {};

  constructor(private readonly options: LogBookOptions) {
    this.clock = options.clock ?? (() => performance.now());
  }

  /** @param listener told of settled requests with findings about which there is something new to say */
  listen(listener: (n: number) => void): void {
    this.listener = listener;
  }

  /** @param arrival when a line was read that has just been written; null for one that may be old */
  add(file: string, line: number | null, text: string, arrival: Timestamp | null): void {
    this.lines += 1;
    const entry = logEntry(text);
    if (entry.messages.length === 0 && entry.facts.target === undefined && entry.facts.script === undefined) return;
    const at = entry.stamp === null ? arrival : logTime(entry.stamp, arrival);
    const dated: DatedEntry = {
      file,
      line,
      text: text.slice(0, LINE_KEPT),
      at,
      resolution: entry.stamp?.resolution ?? MICROSECONDS_PER_SECOND,
      entry,
    };
    this.keep(file, dated, text.length);
    for (const { subject } of this.lastRemembered()) if (tieOf(dated, subject) !== null) this.listener(subject.n);
  }

  /** A request's findings in the light of the logs. */
  diagnose(exchange: Exchange, findings: readonly Finding[]): readonly Finding[] {
    if (findings.length === 0 || exchange.outcome === null) return findings;
    const subject = this.subject(exchange, findings);
    const known = this.remembered.get(exchange.n);
    if (known === undefined) this.remember(subject);
    else known.subject = subject;
    const { tied, rivals } = this.look(subject);
    const told = corroborate(exchange, findings, tied);
    const isOpen = told.some(({ certainty, severity }) => certainty === 'allowed' && severity !== 'note');
    const now = this.remembered.get(exchange.n)!;
    if (!isOpen) now.patience = Math.min(now.patience, this.clock() + AFTER_PROOF);
    // What was sure as long as nothing else failed at that moment may not be sure any more.
    if (known === undefined) for (const rival of rivals) this.listener(rival);
    return told;
  }

  /** The lines that are about a request, as they were read. */
  entriesOf(exchange: Exchange): readonly LogEntry[] {
    return this.look(this.subjectOf(exchange)).tied.map(({ line }) => line.entry);
  }

  /** The lines that are about a request. */
  linesOf(exchange: Exchange): readonly LogLine[] {
    const subject = this.subjectOf(exchange);
    return this.look(subject).tied.map(({ line: { entry, ...line } }) => ({
      ...line,
      meaning: entry.messages.at(-1)?.message.meaning ?? null,
      isNamed: tieOf({ ...line, entry }, subject) === 'named',
    }));
  }

  /** Whether readers should wait a little for a request: a log may be about to say why it failed. */
  isAwaited(n: number): boolean {
    const known = this.remembered.get(n);
    return known !== undefined && known.patience > this.clock();
  }

  /** Milliseconds after which nobody waits any more. */
  get patience(): number {
    return PATIENCE;
  }

  private subjectOf(exchange: Exchange): LogSubject {
    return this.remembered.get(exchange.n)?.subject ?? this.subject(exchange, exchange.findings);
  }

  private subject(exchange: Exchange, findings: readonly Finding[]): LogSubject {
    return logSubject(
      exchange,
      findings.map(({ id }) => id),
      this.options.aliases(exchange.server),
    );
  }

  private keep(file: string, entry: DatedEntry, characters: number): void {
    let kept = this.files.get(file);
    if (kept === undefined) {
      kept = { entries: new Deque(), characters: 0 };
      this.files.set(file, kept);
    }
    kept.entries.push({ entry, characters });
    kept.characters += characters;
    while (kept.entries.length > LINES_KEPT || kept.characters > CHARACTERS_KEPT)
      kept.characters -= kept.entries.shift()!.characters;
  }

  private remember(subject: LogSubject): void {
    this.remembered.set(subject.n, { subject, patience: this.options.isLive ? this.clock() + PATIENCE : 0 });
    for (const oldest of this.remembered.keys()) {
      if (this.remembered.size <= SUBJECTS_KEPT) break;
      this.remembered.delete(oldest);
    }
  }

  private lastRemembered(): Remembered[] {
    return [...this.remembered.values()].slice(-SUBJECTS_LOOKED_AT);
  }

  /** Those that ended at about the same time. */
  private beside(subject: LogSubject): LogSubject[] {
    const near: LogSubject[] = [];
    const end = subject.end ?? Number.POSITIVE_INFINITY;
    for (const { subject: other } of this.remembered.values()) {
      if ((other.end ?? 0) < subject.begin - 2 * AROUND || other.begin > end + 2 * AROUND) continue;
      near.push(other);
      if (near.length === SUBJECTS_LOOKED_AT) break;
    }
    return near;
  }

  /** The lines about a request, and the other requests that the same lines may be about, when there are too few of them for all. */
  private look(subject: LogSubject): { readonly tied: readonly TiedLine[]; readonly rivals: readonly number[] } {
    const subjects = this.beside(subject);
    const claims = this.alike(subject).map((lines) => claim(subject, lines, subjects));
    return { tied: claims.flatMap(({ tied }) => tied), rivals: claims.flatMap(({ rivals }) => rivals) };
  }

  /** Lines of about the time of a request, those of one file with the same message together. */
  private alike(subject: LogSubject): readonly DatedEntry[][] {
    const groups = new Map<string, DatedEntry[]>();
    for (const [file, { entries }] of this.files) {
      const from = subject.begin - AROUND;
      const to = (subject.end ?? Number.POSITIVE_INFINITY) + AROUND;
      const end = entries.lowerBound(to, ({ entry }) => entry.at ?? Number.NEGATIVE_INFINITY);
      const first = Math.max(0, end - LINES_LOOKED_AT);
      for (let i = first; i < end; i++) {
        const line = entries.at(i)!.entry;
        if (line.at !== null && line.at < from) continue;
        const key = [file, ...line.entry.messages.map(({ message }) => message.text)].join('\n');
        const group = groups.get(key) ?? [];
        if (group.length === 0) groups.set(key, group);
        group.push(line);
      }
    }
    return [...groups.values()];
  }
}
