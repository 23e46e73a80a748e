import type { Exchange, Header } from '../../model/exchange.js';
import { paramValue } from '../../model/param-value.js';
import type { Line } from '../paint.js';
import { cells, wrap } from '../paint.js';
import { bodyPane } from './body.js';
import type { Pane } from './pane.js';

/** The three tabs that show a stream: what the web server sent, what the backend answered, what it complained of. */

export const stdin: Pane = bodyPane({
  id: 'stdin',
  title: 'Stdin',
  stream: 'stdin',
  begin: () => 0,
  head: () => [],
  media: (exchange) => ({
    contentType: paramValue(exchange.params, 'CONTENT_TYPE'),
    contentEncoding: paramValue(exchange.params, 'HTTP_CONTENT_ENCODING'),
    alwaysText: false,
  }),
});

export const response: Pane = bodyPane({
  id: 'response',
  title: 'Response',
  stream: 'stdout',
  begin: (exchange) => exchange.response?.length ?? 0,
  head: responseHead,
  media: (exchange) => ({
    contentType: header(exchange, 'content-type'),
    contentEncoding: header(exchange, 'content-encoding'),
    alwaysText: false,
  }),
});

export const stderr: Pane = bodyPane({
  id: 'stderr',
  title: 'Stderr',
  stream: 'stderr',
  begin: () => 0,
  head: () => [],
  media: () => ({ contentType: null, contentEncoding: null, alwaysText: true }),
});

function responseHead(exchange: Exchange, width: number): Line[] {
  const { response: head } = exchange;
  if (head === null) return [[['no response head yet', 'dim']]];
  const lines: Line[] = [
    [
      [head.status === null ? 'no valid status' : String(head.status), statusStyle(head.status)],
      [head.reason === '' ? '' : ` ${head.reason}`, 'bold'],
      [head.headers.some(({ name }) => name.toLowerCase() === 'status') ? '' : '  (no Status header)', 'dim'],
    ],
  ];
  for (const line of head.headers) lines.push(...headerLines(line, width));
  if (!head.complete) lines.push([['the header block is not complete: no blank line was seen', 'warning']]);
  for (const line of head.invalidLines)
    lines.push([
      ['not a header: ', 'warning'],
      [line, 'plain'],
    ]);
  return lines;
}

function headerLines({ name, value }: Header, width: number): Line[] {
  const indent = Math.min(cells(name) + 2, 30);
  return wrap(value, Math.max(10, width - indent)).map(
    (piece, index): Line =>
      index === 0
        ? [
            [`${name}: `, 'name'],
            [piece, 'plain'],
          ]
        : [[' '.repeat(indent) + piece, 'plain']],
  );
}

/** Of a status code: what went well, what leads elsewhere, what the client and what the application got wrong. */
export function statusStyle(status: number | null): 'good' | 'redirect' | 'warning' | 'error' | 'plain' {
  if (status === null) return 'error';
  if (status >= 500) return 'error';
  if (status >= 400) return 'warning';
  if (status >= 300) return 'redirect';
  return status >= 200 ? 'good' : 'plain';
}

function header(exchange: Exchange, name: string): string | null {
  return exchange.response?.headers.find((line) => line.name.toLowerCase() === name)?.value ?? null;
}
