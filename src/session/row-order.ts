import type { ExchangeRow } from '../model/exchange.js';
import { severityRank } from '../model/finding.js';
import type { RowOrder } from '../model/inspection.js';

export type RowComparator = (a: ExchangeRow, b: ExchangeRow) => number;

/** What is not known comes first; among equals, and for an order that has no key, the number decides. */
export function comparatorOf(order: RowOrder): RowComparator {
  const key = KEYS[order];
  if (key === null) return (a, b) => a.n - b.n;
  return (a, b) => compareKeys(key(a), key(b)) || a.n - b.n;
}

/** Requests are numbered in the order of their beginnings, so that time needs no order of its own. */
export function isInOrderOfNumbers(order: RowOrder): boolean {
  return KEYS[order] === null;
}

type Key = number | string | null;

const KEYS: Readonly<Record<RowOrder, ((row: ExchangeRow) => Key) | null>> = {
  n: null,
  time: null,
  duration: (row) => row.total,
  ttfb: (row) => row.ttfb,
  status: (row) => row.status,
  method: (row) => row.method,
  url: (row) => row.url,
  'size.in': (row) => row.sizeIn,
  'size.out': (row) => row.sizeOut,
  finding: (row) => (row.severity === null ? null : severityRank(row.severity)),
};

function compareKeys(a: Key, b: Key): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  return a < b ? -1 : 1;
}
