import type { Exchange, Param } from '../../model/exchange.js';
import { visibleBytes } from '../../model/visible-text.js';
import { cells, fit, type Line, type Span, wrap } from '../paint.js';
import { LineList } from './line-list.js';
import type { Pane } from './pane.js';

/** Name = value, aligned, in the order in which they came; long values go on below, nothing is cut off. */

export const params: Pane = {
  id: 'params',
  title: 'Params',
  picksRecords: false,
  hasModes: false,
  async load(_, { exchange }, had) {
    if (had instanceof LineList && had.source === exchange) return had;
    return new LineList(exchange, (width) => paramLines(exchange, width));
  },
};

const NAME_WIDTH_MAX = 30;

function paramLines(exchange: Exchange, width: number): Line[] {
  const lines: Line[] = [];
  if (!exchange.paramsComplete)
    lines.push([[exchange.outcome === null ? 'PARAMS have not ended yet' : 'PARAMS are not complete', 'warning']]);
  if (exchange.params.length === 0) lines.push([['no params', 'dim']]);
  const nameWidth = Math.min(NAME_WIDTH_MAX, Math.max(0, ...exchange.params.map(({ name }) => cells(name))));
  const seen = new Map<string, number>();
  for (const param of exchange.params) {
    const times = (seen.get(param.name) ?? 0) + 1;
    seen.set(param.name, times);
    lines.push(...paramLine(param, times, nameWidth, width));
  }
  return lines;
}

function paramLine(param: Param, times: number, nameWidth: number, width: number): Line[] {
  const remarks: Span[] = [];
  if (times > 1) remarks.push([` (given ${times} times so far)`, 'warning']);
  if (param.bytes !== undefined) remarks.push([' (not UTF-8)', 'warning']);
  const value = param.bytes === undefined ? param.value : visibleBytes(param.bytes);
  const pieces = wrap(value, Math.max(10, width - nameWidth - 3));
  const name = cells(param.name) > nameWidth ? wrap(param.name, width).map((piece): Line => [[piece, 'name']]) : [];
  const first: Span = name.length > 0 ? [' '.repeat(nameWidth), 'plain'] : [fit(param.name, nameWidth), 'name'];
  return [
    ...name,
    ...pieces.map(
      (piece, index): Line => [
        index === 0 ? first : [' '.repeat(nameWidth), 'plain'],
        [index === 0 ? ' = ' : '   ', 'dim'],
        [piece, 'plain'],
        ...(index === pieces.length - 1 ? remarks : []),
      ],
    ),
  ];
}
