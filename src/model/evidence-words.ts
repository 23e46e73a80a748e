import type { Exchange, Header, RecordEntry } from './exchange.js';
import type { Evidence } from './finding.js';
import type { Inspection } from './inspection.js';
import type { LogLine } from './log-line.js';
import { paramValue } from './param-value.js';
import { formatDuration } from './quantity.js';
import { milliseconds } from './time.js';
import { visibleText } from './visible-text.js';

/** What a finding stands on, in words: where it is, by the names and numbers under which it is found, and what stands there. */

/** A value longer than this is not read here. */
const VALUE_SHOWN = 160;
/** A log line says something from its beginning to its end. */
const LINE_SHOWN = 400;

/** The records that evidence names, as far as they are still kept. A finding names a few at most. */
export async function evidenceRecords(
  inspection: Inspection,
  n: number,
  evidence: readonly Evidence[],
): Promise<ReadonlyMap<number, RecordEntry>> {
  const entries = new Map<number, RecordEntry>();
  for (const one of evidence) {
    if (one.kind !== 'record' || entries.has(one.record)) continue;
    const entry = (await inspection.records(n, one.record, 1)).records[0];
    if (entry !== undefined) entries.set(one.record, entry);
  }
  return entries;
}

/**
 * Visible text without a full stop.
 * @param exchange whose values are quoted: redacted, where secrets are not to be shown
 */
export function evidenceWords(
  evidence: Evidence,
  exchange: Exchange,
  records: ReadonlyMap<number, RecordEntry>,
): string {
  switch (evidence.kind) {
    case 'record':
      return recordWords(evidence.record, records.get(evidence.record), exchange);
    case 'param': {
      const value = paramValue(exchange.params, evidence.name);
      return `param ${visibleText(evidence.name, VALUE_SHOWN)}${value === null ? '' : valueWords(value)}`;
    }
    case 'header': {
      const name = evidence.name.toLowerCase();
      const sent = exchange.response?.headers.find((header: Header) => header.name.toLowerCase() === name);
      const shown = visibleText(sent?.name ?? evidence.name, VALUE_SHOWN);
      if (sent === undefined) return `header ${shown}, which is not there`;
      return sent.value === '' ? `header ${shown}, which is empty` : `header ${shown}: ${shownValue(sent.value)}`;
    }
    case 'stderr':
      return `STDERR: ${visibleText(evidence.text, VALUE_SHOWN)}`;
    case 'bytes': {
      const { stream, offset, length } = evidence;
      const name = stream.toUpperCase();
      if (length === 0)
        return offset === 0 ? `${name}: nothing came` : `${name}, from byte ${offset} on: nothing more came`;
      return length === 1 ? `${name}, byte ${offset}` : `${name}, bytes ${offset} to ${offset + length - 1}`;
    }
    case 'time':
      return `a time of ${formatDuration(evidence.milliseconds)}`;
    case 'request':
      return `request #${evidence.n}`;
    case 'log':
      return `${logPlace(evidence)}: ${visibleText(evidence.text, LINE_SHOWN)}`;
  }
}

/** The file and, where it is known, the line: `php8.2-fpm.log:12`. Visible text. */
export function logPlace({ file, line }: { readonly file: string; readonly line: number | null }): string {
  const name = visibleText(file.slice(file.lastIndexOf('/') + 1), VALUE_SHOWN);
  return line === null ? name : `${name}:${line}`;
}

/** A line of a log as it is listed with a request. Visible text. */
export function logWords(line: LogLine): string {
  const tie = line.isNamed ? '' : ' (it names no request, and fits this one in time and kind)';
  return `${logPlace(line)}: ${visibleText(line.text, LINE_SHOWN)}${tie}`;
}

/** Numbered as in the timeline. */
function recordWords(index: number, entry: RecordEntry | undefined, { times }: Exchange): string {
  if (entry === undefined) return `record #${index}`;
  const sender = entry.side === 'client' ? 'web server' : 'backend';
  const size = `${entry.contentLength} ${entry.contentLength === 1 ? 'byte' : 'bytes'}`;
  const after = formatDuration(milliseconds(times.begin, entry.at));
  const said = entry.summary === '' ? '' : `: ${visibleText(entry.summary, VALUE_SHOWN)}`;
  return `record #${index}, ${visibleText(entry.type)} of ${size} from the ${sender} after ${after}, at byte ${entry.offset} of what it sent${said}`;
}

function valueWords(value: string): string {
  return value === '' ? ', which is empty' : ` = ${shownValue(value)}`;
}

function shownValue(value: string): string {
  return visibleText(value, VALUE_SHOWN);
}
