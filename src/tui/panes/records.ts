import type { Exchange, RecordEntry } from '../../model/exchange.js';
import type { RecordBytes } from '../../model/inspection.js';
import { fit, type Line } from '../paint.js';
import { bytesPerLine, hexLine } from './hex.js';
import type { Pane, PaneContent, PaneLine, PaneView } from './pane.js';
import { type RecordWindow, visibleRecords } from './timeline.js';

/** Every record with the fields of its header (specification section 3.3), and the bytes of the selected one below. */

export const records: Pane = {
  id: 'records',
  title: 'Records',
  picksRecords: true,
  hasModes: false,
  async load(inspection, want, had) {
    const before = had instanceof Records ? had : null;
    const window = await visibleRecords(inspection, want, want.height, before?.window ?? null);
    const sameBytes = before !== null && before.cursor === want.cursor && before.exchange === want.exchange;
    if (before !== null && sameBytes && before.window === window) return before;
    const bytes = sameBytes ? before.bytes : await inspection.recordBytes(want.exchange.n, want.cursor);
    return new Records(want.exchange, window, want.cursor, bytes);
  },
};

/** Of the height: the column titles and the list, then a rule, then the dump. */
const LIST_SHARE = 0.45;

class Records implements PaneContent {
  readonly records: number;

  constructor(
    readonly exchange: Exchange,
    readonly window: RecordWindow,
    readonly cursor: number,
    readonly bytes: RecordBytes | null,
  ) {
    this.records = window.total;
  }

  extent(): number {
    return this.records;
  }

  room(view: PaneView): number {
    return Math.max(1, Math.min(Math.floor(view.height * LIST_SHARE) - 1, Math.max(this.records, 3)));
  }

  lineOf(record: number): number {
    return record;
  }

  hex(view: PaneView): { extent: number; room: number } {
    const length = this.bytes === null ? 0 : this.bytes.content.length;
    return {
      // The header has a line of its own.
      extent: this.bytes === null ? 0 : 1 + Math.ceil(length / bytesPerLine(view.width)),
      room: Math.max(1, view.height - this.room(view) - 2),
    };
  }

  lines(view: PaneView): PaneLine[] {
    const shown: PaneLine[] = [{ line: [[COLUMNS, 'dim']] }];
    for (let at = view.top; at < view.top + this.room(view); at++) {
      const entry = this.window.records[at - this.window.from];
      if (at >= this.records) shown.push({ line: [] });
      else if (entry === undefined) shown.push({ line: [[`${fit(String(at), 5, 'right')}  …`, 'dim']] });
      else shown.push({ line: recordLine(entry), selected: at === view.cursor });
    }
    shown.push({ line: this.rule(view) });
    const { extent, room } = this.hex(view);
    for (let at = view.hexTop; at < Math.min(view.hexTop + room, extent); at++)
      shown.push({ line: this.dump(at, bytesPerLine(view.width)) });
    return shown;
  }

  private rule(view: PaneView): Line {
    const { bytes, cursor } = this;
    if (cursor !== view.cursor) return [[`── record ${view.cursor} …`, 'dim']];
    if (bytes === null)
      return [[this.records === 0 ? '── no records' : `── record ${cursor}: its bytes are no longer kept`, 'dim']];
    const { extent, room } = this.hex(view);
    const place = extent > room ? `, line ${view.hexTop + 1} of ${extent}` : '';
    return [
      [`── record ${cursor}: 8 header bytes and ${bytes.content.length} content bytes${place}`, 'dim'],
      [bytes.missing > 0 ? `, ${bytes.missing} never seen` : '', 'error'],
      [extent > room ? '  Space ^B: page' : '', 'dim'],
    ];
  }

  private dump(line: number, perLine: number): Line {
    const { bytes } = this;
    if (bytes === null) return [];
    if (line === 0) {
      const [offset, hex] = hexLine(bytes.header, 0, perLine);
      return [
        ['header    ', 'dim'],
        [hex![0], 'warning'],
        [offset === undefined ? '' : ' ', 'plain'],
      ];
    }
    const from = (line - 1) * perLine;
    return hexLine(bytes.content.subarray(from, from + perLine), from, perLine);
  }
}

const COLUMNS = `${fit('#', 5, 'right')}   ${fit('type', 20)}${fit('ver', 4, 'right')}${fit('id', 6, 'right')}${fit('content', 9, 'right')}${fit('pad', 5, 'right')}${fit('offset', 12, 'right')}`;

function recordLine(entry: RecordEntry): Line {
  const toServer = entry.side === 'client';
  return [
    [`${fit(String(entry.index), 5, 'right')} `, 'dim'],
    [`${toServer ? '→' : '←'} ${fit(`${entry.type} (${entry.typeCode})`, 20)}`, toServer ? 'request' : 'answer'],
    [fit(String(entry.version), 4, 'right'), entry.version === 1 ? 'plain' : 'error'],
    [
      `${fit(String(entry.requestId), 6, 'right')}${fit(String(entry.contentLength), 9, 'right')}${fit(String(entry.paddingLength), 5, 'right')}${fit(String(entry.offset), 12, 'right')}`,
      'plain',
    ],
    [entry.problems.length > 0 ? `  ${entry.problems.join(', ')}` : '', 'error'],
    [entry.summary === '' ? '' : `  ${entry.summary}`, 'plain'],
  ];
}
