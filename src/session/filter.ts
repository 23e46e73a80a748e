import type { Exchange, ExchangeRow, StreamName } from '../model/exchange.js';
import { compileExpression } from './filter-compiler.js';
import { printExpression } from './filter-print.js';
import { parseExpression } from './filter-syntax.js';

export { MATCHED_BYTES } from './filter-compiler.js';
export { FilterError, filterErrorPicture } from './filter-error.js';
export { FIELDS, type FieldType, type FilterField } from './filter-fields.js';

/**
 * The display filter: text to a test of one request. What costs nothing is tested first: the parts of an `and` or `or` are ordered by
 * what they need, so that `stdout contains "x" and status == 500` reads the bodies of the failed requests only.
 *
 * What is not there (the status of a request that got no answer) compares as false with everything; `!=` is always the opposite of `==`,
 * and so true of it: `status != 200` shows every request that did not get a 200. A field with several values fits when one of them does.
 */

/** What a filter may ask of one request. */
export interface FilterSubject {
  readonly row: ExchangeRow;
  /** Null when it is not kept any more: all that is asked of it is then absent. Called at most once per test. */
  exchange(): Exchange | null | Promise<Exchange | null>;
  /** The stream's content from its beginning, in slices of any size; it is left early when the answer is known. */
  body(stream: StreamName): AsyncIterable<Uint8Array>;
}

/** What a test may call: `row` nothing, `exchange` exchange(), `bodies` also body(). */
export type FilterNeeds = 'row' | 'exchange' | 'bodies';

export interface Filter {
  readonly text: string;
  /** The same filter in one fixed spelling: equal filters that were typed differently have the same one. */
  readonly canonical: string;
  readonly needs: FilterNeeds;
  /** Synchronous when `needs` is `row`. Rejects only when the subject does. */
  test(subject: FilterSubject): boolean | Promise<boolean>;
}

/** @throws FilterError (an FcgiInspectError 'bad-filter') when it cannot be understood; never anything else */
export function parseFilter(text: string): Filter {
  const expression = parseExpression(text);
  if (expression === null) return { text, canonical: '', needs: 'row', test: () => true };
  const { needs, test } = compileExpression(text, expression);
  return {
    text,
    canonical: printExpression(expression),
    needs,
    test: needs === 'row' ? test : (subject) => test(withOneExchange(subject)),
  };
}

/** Keeps the promise of "at most once" for filters that name several fields of the exchange. */
function withOneExchange(subject: FilterSubject): FilterSubject {
  let asked: ReturnType<FilterSubject['exchange']> | undefined;
  return {
    row: subject.row,
    exchange: () => {
      if (asked === undefined) asked = subject.exchange();
      return asked;
    },
    body: (stream) => subject.body(stream),
  };
}
