import { FilterError, parseFilter } from '../session/filter.js';

/** Asked on each key while a filter is edited: the parser is pure, so that no thread needs to be asked. */

export interface FilterComplaint {
  /** Where it is wrong, in UTF-16 units from 0. */
  readonly at: number;
  readonly message: string;
}

/** Null when the filter is right. */
export function filterError(text: string): FilterComplaint | null {
  try {
    parseFilter(text.trim());
    return null;
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    return { at: Math.min(error.span.at, text.length), message: error.complaint };
  }
}
