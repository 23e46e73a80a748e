import { FcgiInspectError } from '../model/errors.js';

/** Where in a filter's text something lies, in UTF-16 units. */
export interface Span {
  readonly at: number;
  /** At least 1, except at the end of the text. */
  readonly length: number;
}

/** A display filter that cannot be understood. Its message holds the position; `filterErrorPicture` draws it. */
export class FilterError extends FcgiInspectError {
  /**
   * @param filter the whole text
   * @param span what of it is wrong
   * @param complaint what is wrong, without the position
   */
  constructor(
    readonly filter: string,
    readonly span: Span,
    readonly complaint: string,
    advice: string | null = null,
  ) {
    const place = span.at >= filter.length ? 'at the end' : `at character ${span.at + 1}`;
    super('bad-filter', `the filter is wrong ${place}: ${complaint}`, advice);
  }
}

/** How much of a long filter is drawn around the place. */
const PICTURE_BEFORE = 50;
const PICTURE_AFTER = 24;

/**
 * Two lines: the filter's text, and carets under what is wrong. A long text is cut around the place; what is not printable ASCII is
 * drawn as one `·`, so that the carets stand right in every terminal and nothing hostile reaches it.
 */
export function filterErrorPicture(error: FilterError): string {
  const { at, length } = error.span;
  const from = Math.max(0, at - PICTURE_BEFORE);
  const to = Math.min(error.filter.length, at + Math.max(1, length) + PICTURE_AFTER);
  const before = from > 0 ? '…' : '';
  const after = to < error.filter.length ? '…' : '';
  const drawn = error.filter.slice(from, to).replace(/[^ -~]/g, '·');
  const carets = '^'.repeat(Math.max(1, Math.min(length, to - at)));
  return `${before}${drawn}${after}\n${' '.repeat(before.length + at - from)}${carets}`;
}
