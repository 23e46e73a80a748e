import type { Exchange, StreamName } from '../../model/exchange.js';
import type { Inspection } from '../../model/inspection.js';
import { formatBytes } from '../../model/quantity.js';
import { type Line, type Span, wrap } from '../paint.js';
import { type BodyMedia, type BodyText, prettyText, rawText, textAroundGaps } from './body-text.js';
import { bytesPerLine, hexLine } from './hex.js';
import type { BodyMode, Pane, PaneContent, PaneId, PaneLine, PaneView, PaneWant } from './pane.js';

/**
 * A stream as text or as bytes. As text its beginning is fetched and laid out, up to TEXT_MAX; as bytes only the part that is looked
 * at is, so that the end of the largest download can be seen. Both say how much of how much is shown.
 */

export interface BodySource {
  readonly id: PaneId;
  readonly title: string;
  readonly stream: StreamName;
  /** Where the body begins in the stream. */
  begin(exchange: Exchange): number;
  /** What stands above the body. */
  head(exchange: Exchange, width: number): readonly Line[];
  media(exchange: Exchange): BodyMedia;
}

/** Decoding and layout take some 100 ms for this much; one more megabyte of text is read by nobody on a terminal. */
export const TEXT_MAX = 1024 * 1024;
/** Bytes fetched around those looked at. */
const HEX_MARGIN = 4096;
/** A growing body is laid out again when this many times the last layout's cost has passed: a tenth of the time goes into it at most. */
const REST = 9;

export function bodyPane(source: BodySource): Pane {
  return {
    id: source.id,
    title: source.title,
    picksRecords: false,
    hasModes: true,
    async load(inspection, want, had) {
      const before = had instanceof BodyContent && had.mode === want.mode ? had : null;
      if (before?.fits(want) === true) return before;
      const begun = performance.now();
      const { exchange } = want;
      const begin = source.begin(exchange);
      const { total } = await inspection.body(exchange.n, source.stream, begin, 0);
      const size = Math.max(0, total - begin);
      if (want.mode === 'hex') return hexContent(source, inspection, want, size, before);
      const fetched = await firstBytes(inspection, exchange, source.stream, begin, size, before);
      const media = source.media(exchange);
      const whole = fetched.bytes.length >= size;
      const read = async (part: Uint8Array, ends: boolean): Promise<BodyText | null> =>
        want.mode === 'pretty' ? prettyText(part, media, ends, TEXT_MAX) : rawText(part, media, ends);
      const text =
        fetched.gaps.length === 0
          ? await read(fetched.bytes, whole)
          : await textAroundGaps(fetched.bytes, fetched.gaps, (part) => read(part, false));
      if (text === null) return hexContent(source, inspection, want, size, before);
      const part: BodyPart = { kind: 'text', size, ...fetched, text };
      return new BodyContent(source, exchange, want.mode, part, begun, performance.now() - begun);
    },
  };
}

type Gaps = readonly (readonly [number, number])[];

/** What is at hand of the body; `gaps` are offsets in the body. */
type BodyPart =
  | {
      readonly kind: 'text';
      readonly size: number;
      readonly bytes: Uint8Array;
      readonly gaps: Gaps;
      readonly text: BodyText;
    }
  | {
      readonly kind: 'hex';
      readonly size: number;
      readonly bytes: Uint8Array;
      readonly gaps: Gaps;
      readonly from: number;
    };

async function firstBytes(
  inspection: Inspection,
  exchange: Exchange,
  stream: StreamName,
  begin: number,
  size: number,
  before: BodyContent | null,
): Promise<{ bytes: Uint8Array; gaps: Gaps }> {
  const need = Math.min(size, TEXT_MAX);
  const had = before?.part.kind === 'text' ? before.part : null;
  if (had !== null && had.bytes.length === need) return { bytes: had.bytes, gaps: had.gaps };
  const bytes = new Uint8Array(need);
  const gaps: (readonly [number, number])[] = [];
  let at = 0;
  // What was there already has not changed, but a gap may since have been filled.
  if (had !== null && had.gaps.length === 0 && had.bytes.length < need) {
    bytes.set(had.bytes);
    at = had.bytes.length;
  }
  while (at < need) {
    const range = await inspection.body(exchange.n, stream, begin + at, need - at);
    if (range.bytes.length === 0) break;
    bytes.set(range.bytes.subarray(0, need - at), at);
    gaps.push(...range.gaps.map(([from, to]) => [from - begin, to - begin] as const));
    at += range.bytes.length;
  }
  return { bytes: bytes.subarray(0, at), gaps };
}

async function hexContent(
  source: BodySource,
  inspection: Inspection,
  want: PaneWant,
  size: number,
  before: BodyContent | null,
): Promise<BodyContent> {
  const { exchange } = want;
  const begin = source.begin(exchange);
  const [first, last] = hexRange(want, size, source.head(exchange, want.width).length + 1);
  const had = before?.part.kind === 'hex' ? before.part : null;
  let part: BodyPart;
  if (had !== null && had.size === size && had.from <= first && had.from + had.bytes.length >= last) part = had;
  else {
    const from = Math.max(0, first - HEX_MARGIN);
    const range = await inspection.body(exchange.n, source.stream, begin + from, last - from + HEX_MARGIN);
    const gaps = range.gaps.map(([a, b]) => [a - begin, b - begin] as const);
    part = { kind: 'hex', size, bytes: range.bytes, gaps, from: range.from - begin };
  }
  return new BodyContent(source, exchange, want.mode, part, performance.now(), 0);
}

/** The bytes of the body that stand in the lines looked at. */
function hexRange(want: PaneView, size: number, headLines: number): [number, number] {
  const perLine = bytesPerLine(want.width);
  const first = Math.max(0, want.top - headLines) * perLine;
  const last = Math.max(0, want.top - headLines + want.height) * perLine;
  return [Math.min(first, size), Math.min(last, size)];
}

class BodyContent implements PaneContent {
  private laidOut: { readonly width: number; readonly head: readonly Line[]; readonly body: readonly Span[] } | null =
    null;

  constructor(
    private readonly source: BodySource,
    private readonly exchange: Exchange,
    readonly mode: BodyMode,
    readonly part: BodyPart,
    private readonly madeAt: number,
    private cost: number,
  ) {}

  /** Whether it still is what is wanted, or what has changed can wait. */
  fits(want: PaneWant): boolean {
    if (this.part.kind === 'hex') {
      const [first, last] = hexRange(want, this.part.size, this.at(want.width).head.length);
      if (this.part.from > first || this.part.from + this.part.bytes.length < last) return false;
    }
    if (want.exchange === this.exchange) return true;
    return want.exchange.outcome === null && performance.now() - this.madeAt < this.cost * REST;
  }

  extent(view: PaneView): number {
    const { head, body } = this.at(view.width);
    return (
      head.length + (this.part.kind === 'text' ? body.length : Math.ceil(this.part.size / bytesPerLine(view.width)))
    );
  }

  room(view: PaneView): number {
    return view.height;
  }

  lines(view: PaneView): PaneLine[] {
    const { head, body } = this.at(view.width);
    const lines: PaneLine[] = [];
    for (let at = view.top; at < Math.min(view.top + view.height, this.extent(view)); at++) {
      if (at < head.length) lines.push({ line: head[at]! });
      else if (this.part.kind === 'text') lines.push({ line: [body[at - head.length]!] });
      else lines.push({ line: this.hexAt(at - head.length, view.width) });
    }
    return lines;
  }

  private hexAt(index: number, width: number): Line {
    const { part } = this;
    if (part.kind !== 'hex') return [];
    const perLine = bytesPerLine(width);
    const offset = index * perLine;
    const at = offset - part.from;
    // Not fetched yet: the next pull brings it.
    if (at < 0 || at >= part.bytes.length) return [[`${offset.toString(16).padStart(8, '0')}  …`, 'dim']];
    return hexLine(part.bytes.subarray(at, at + perLine), offset, perLine, (i) =>
      part.gaps.some(([from, to]) => offset + i >= from && offset + i < to),
    );
  }

  private at(width: number): { readonly head: readonly Line[]; readonly body: readonly Span[] } {
    if (this.laidOut?.width !== width) {
      const begun = performance.now();
      const head = [...this.source.head(this.exchange, width), this.remark()];
      const body = this.part.kind === 'text' ? this.part.text.lines.flatMap((line) => spans(line, width)) : [];
      this.laidOut = { width, head, body };
      this.cost += performance.now() - begun;
    }
    return this.laidOut;
  }

  /** How much of how much is shown, and as what. */
  private remark(): Line {
    const { part, exchange, source } = this;
    const { ended, missing } = exchange.streams[source.stream];
    const spans: Span[] = [['── ', 'dim']];
    if (part.size === 0) spans.push([ended || exchange.outcome !== null ? 'empty' : 'nothing yet', 'dim']);
    else {
      const whole = part.kind === 'hex' || part.bytes.length >= part.size;
      spans.push([
        whole ? formatBytes(part.size) : `the first ${formatBytes(part.bytes.length)} of ${formatBytes(part.size)}`,
        'bold',
      ]);
      const remarks = part.kind === 'hex' ? ['hex dump'] : part.text.remarks;
      if (remarks.length > 0) spans.push([`, ${remarks.join(', ')}`, 'plain']);
      if (part.kind === 'hex' && this.mode !== 'hex') spans.push([' (no text)', 'plain']);
    }
    if (missing > 0) spans.push([`, ${formatBytes(missing)} never seen`, 'error']);
    if (exchange.outcome === null && !ended) spans.push([', growing', 'note']);
    spans.push([' ──', 'dim']);
    if (part.size > 0) spans.push([` r: ${NEXT_MODE[this.mode]}`, 'dim']);
    return spans;
  }
}

function spans(line: BodyText['lines'][number], width: number): Span[] {
  if (typeof line !== 'string') return [[`[${formatBytes(line.missing)} never seen]`, 'error']];
  return wrap(line, width).map((piece): Span => [piece, 'plain']);
}

const NEXT_MODE: Readonly<Record<BodyMode, string>> = { pretty: 'as it came', raw: 'hex dump', hex: 'decoded' };
