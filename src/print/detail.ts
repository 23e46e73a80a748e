import { ruleOf } from '../diagnosis/rule-groups.js';
import type { Side } from '../model/connection.js';
import { connectionEndWords } from '../model/connection-end.js';
import { connectionNotes } from '../model/connection-notes.js';
import { evidenceRecords, evidenceWords, logWords } from '../model/evidence-words.js';
import type { Exchange, Param, RecordEntry } from '../model/exchange.js';
import { rowOf } from '../model/exchange-row.js';
import type { Finding } from '../model/finding.js';
import { RECORDS_PER_PAGE } from '../model/inspection.js';
import type { ExchangeOutput } from '../model/output.js';
import { formatBytes } from '../model/quantity.js';
import { redactExchange, scrubber } from '../model/redaction.js';
import { milliseconds, type Timestamp } from '../model/time.js';
import { visibleBytes, visibleText } from '../model/visible-text.js';
import { failureWords } from './connect-failure.js';
import { type PrintOptions, requestLine } from './lines.js';
import { type Colour, paint, severityColour } from './style.js';

/**
 * A block a request: its line, then what it was sent, what came back, every record with its direction, time and delta, what was wrong
 * with it, and how the connection ended. Blocks are set apart by an empty line. Records are pulled and written page by page.
 */
export function detail(options: PrintOptions): ExchangeOutput {
  return {
    async exchange(exchange) {
      const scrub = options.redact ? scrubber(exchange) : (text: string) => text;
      await new DetailPrinter(options.redact ? redactExchange(exchange) : exchange, options, scrub).print();
    },
    async connection() {},
    async end() {},
  };
}

/** Longer values are cut: they are in NDJSON. */
const VALUE_SHOWN = 2_000;
const SUMMARY_SHOWN = 200;

const DIRECTIONS: Readonly<Record<Side, string>> = {
  client: 'web server → backend',
  server: 'web server ← backend',
};

class DetailPrinter {
  #text = '';

  constructor(
    private readonly exchange: Exchange,
    private readonly options: PrintOptions,
    private readonly scrub: (text: string) => string,
  ) {}

  async print(): Promise<void> {
    const { exchange } = this;
    this.#line(requestLine(rowOf(exchange), this.options));
    this.#request();
    this.#params();
    this.#response();
    this.#stderr();
    const lastRecordAt = await this.#records();
    this.#problems();
    await this.#logs();
    await this.#findings();
    this.#heading('end');
    this.#line(`    ${endWords(exchange, lastRecordAt)}`);
    for (const note of await connectionNotes(this.options.inspection, exchange))
      this.#line(`    ${visibleText(note, VALUE_SHOWN)}`);
    this.#line('');
    await this.#flush();
  }

  #request(): void {
    const { role, keepConnection, precedingRequests, outcome, appStatus, protocolStatus, abortSeen } = this.exchange;
    const facts = [
      role,
      keepConnection === null ? null : keepConnection ? 'keep connection' : 'close after it',
      precedingRequests === 0 ? null : `request ${precedingRequests + 1} on its connection`,
      outcome,
      protocolStatus,
      appStatus === null ? null : `app status ${appStatus}`,
      abortSeen && outcome !== 'aborted' ? 'ABORT_REQUEST seen' : null,
    ];
    this.#heading('request');
    this.#line(`    ${facts.filter((fact) => fact !== null).join(', ')}`);
    const totals = (['stdin', 'data', 'stdout', 'stderr'] as const).flatMap((name) => {
      const { bytes, records, ended, missing } = this.exchange.streams[name];
      if (records === 0 && !ended && missing === 0) return [];
      const lost = missing === 0 ? '' : `, ${missing} bytes missing`;
      return [
        `${name} ${formatBytes(bytes)} in ${records} record${records === 1 ? '' : 's'}${ended ? '' : ', not ended'}${lost}`,
      ];
    });
    if (totals.length > 0) this.#line(`    ${totals.join('; ')}`);
  }

  #params(): void {
    const { params, paramsComplete } = this.exchange;
    this.#heading('params', `${params.length}${paramsComplete ? '' : ', not complete'}`);
    for (const param of params) this.#line(`    ${shownName(param)} = ${shownValue(param)}`);
  }

  #response(): void {
    const { response } = this.exchange;
    if (response === null) return;
    this.#heading('response', response.complete ? null : 'not complete');
    for (const { name, value } of response.headers) {
      this.#line(`    ${visibleText(name, VALUE_SHOWN)}: ${visibleText(value, VALUE_SHOWN)}`);
    }
    for (const line of response.invalidLines) this.#line(`    not a header: ${visibleText(line, VALUE_SHOWN)}`);
  }

  #stderr(): void {
    const { stderrHead, streams } = this.exchange;
    if (stderrHead.length === 0) return;
    this.#heading('stderr', formatBytes(streams.stderr.bytes));
    for (const line of byteLines(stderrHead)) this.#line(`    ${visibleBytes(line, VALUE_SHOWN)}`);
    const more = streams.stderr.bytes - stderrHead.length;
    if (more > 0) this.#line(`    … ${more} more bytes`);
  }

  /** @returns when the last record before the connection's end was seen */
  async #records(): Promise<Timestamp | null> {
    const { exchange } = this;
    const before = (exchange.connectionEnd?.afterRecords ?? 0) - 1;
    let lastAt: Timestamp | null = null;
    let previous = exchange.times.begin;
    let from = 0;
    this.#heading('records', `${exchange.records.total}; number, ms since BEGIN_REQUEST, and since the record before`);
    while (from < exchange.records.total) {
      const page = await this.options.inspection.records(exchange.n, from, RECORDS_PER_PAGE);
      if (page.records.length === 0) break;
      for (const entry of page.records) {
        this.#line(this.#recordLine(entry, previous));
        previous = entry.at;
        if (entry.index === before) lastAt = entry.at;
      }
      from += page.records.length;
      await this.#flush();
    }
    if (from < exchange.records.total) this.#line(`    ${exchange.records.total - from} records are not kept any more`);
    return lastAt;
  }

  #recordLine(entry: RecordEntry, previous: Timestamp): string {
    const offset = milliseconds(this.exchange.times.begin, entry.at)!.toFixed(3).padStart(11);
    const delta = `+${milliseconds(previous, entry.at)!.toFixed(3)}`.padStart(11);
    const padding = entry.paddingLength === 0 ? '' : ` +${entry.paddingLength}`;
    const notes = [
      visibleText(entry.summary, SUMMARY_SHOWN),
      entry.contentLength === 0 && entry.streamOffset !== null ? 'end of stream' : '',
      entry.missing === 0 ? '' : `${entry.missing} bytes missing`,
      ...entry.problems,
    ].filter((note) => note !== '');
    const size = `${entry.contentLength}${padding}`.padEnd(9);
    const number = `#${entry.index}`.padStart(5);
    const line = `${number} ${offset} ${delta}  ${DIRECTIONS[entry.side]}  ${visibleText(entry.type).padEnd(13)} ${size} ${notes.join(', ')}`;
    return `    ${this.#painted(entry.problems.length > 0 ? 'yellow' : null, line.trimEnd())}`;
  }

  #problems(): void {
    const { problems, records } = this.exchange;
    if (records.problems === 0) return;
    this.#heading('problems', String(records.problems));
    for (const { code, side, offset, message } of problems) {
      const sender = side === 'client' ? 'web server' : 'backend';
      this.#line(`    ${code} at byte ${offset} of the ${sender}: ${visibleText(message, VALUE_SHOWN)}`);
    }
    if (records.problems > problems.length) this.#line(`    … ${records.problems - problems.length} more`);
  }

  async #findings(): Promise<void> {
    const { exchange } = this;
    const { findings } = exchange;
    if (findings.length === 0) return;
    this.#heading('findings', String(findings.length));
    const evidence = findings.flatMap((finding) => finding.evidence);
    const records = await evidenceRecords(this.options.inspection, exchange.n, evidence);
    for (const finding of findings) this.#finding(finding, records);
  }

  #finding(finding: Finding, records: ReadonlyMap<number, RecordEntry>): void {
    const { id, severity, title, detail, advice, certainty, alternatives, look, evidence } = finding;
    const say = (text: string): void => this.#line(`      ${text}`);
    const list = (name: string, texts: readonly string[], mark: string): void => {
      if (texts.length > 0) say(name);
      for (const text of texts) say(`${mark} ${visibleText(text, VALUE_SHOWN)}`);
    };
    const meaning = ruleOf(id)?.meaning ?? title;
    this.#line(`    ${this.#painted(severityColour(severity), severity)} ${id}: ${visibleText(title, VALUE_SHOWN)}`);
    if (detail !== '') say(visibleText(detail, VALUE_SHOWN));
    for (const one of evidence) say(`seen: ${evidenceWords(one, this.exchange, records)}`);
    if (meaning !== title) say(`why: ${meaning}`);
    list('to change:', advice, '-');
    say(
      certainty === 'proven'
        ? 'sure: what was seen proves it'
        : 'not sure: what was seen fits it, and does not prove it',
    );
    const others = alternatives.map(({ cause, tell }) => `${cause} To tell: ${tell}`);
    list('it may also be:', others, '?');
    list('look at:', look, '>');
  }

  async #logs(): Promise<void> {
    const lines = await this.options.inspection.logs(this.exchange.n);
    if (lines.length === 0) return;
    this.#heading('logs', String(lines.length));
    for (const line of lines) {
      this.#line(`    ${logWords({ ...line, text: this.scrub(line.text) })}`);
      if (line.meaning !== null) this.#line(`      ${line.meaning}`);
    }
  }

  #heading(name: string, remark: string | null = null): void {
    this.#line(`  ${this.#painted('bold', name)}${remark === null ? '' : ` (${remark})`}`);
  }

  #painted(colour: Colour | null, text: string): string {
    return paint(this.options.color)(colour, text);
  }

  #line(text: string): void {
    this.#text += `${text}\n`;
  }

  async #flush(): Promise<void> {
    const text = this.#text;
    this.#text = '';
    if (text !== '') await this.options.write(text);
  }
}

function endWords(exchange: Exchange, lastRecordAt: Timestamp | null): string {
  if (exchange.failure !== null) return failureWords(exchange.failure);
  return connectionEndWords(exchange, lastRecordAt) ?? 'the connection was still open when the request was over';
}

function shownName(param: Param): string {
  return visibleText(param.name, VALUE_SHOWN);
}

function shownValue(param: Param): string {
  return param.bytes === undefined ? visibleText(param.value, VALUE_SHOWN) : visibleBytes(param.bytes, VALUE_SHOWN);
}

/** Without the line ends; a last empty line is none. */
function* byteLines(bytes: Uint8Array): Generator<Uint8Array> {
  let from = 0;
  while (from < bytes.length) {
    const feed = bytes.indexOf(0x0a, from);
    const end = feed < 0 ? bytes.length : feed;
    yield bytes.subarray(from, end > from && bytes[end - 1] === 0x0d ? end - 1 : end);
    from = end + 1;
  }
}
