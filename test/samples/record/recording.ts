import type { Sample } from '../sample.js';
import type { Studio } from './studio.js';

/** A sample that is recorded: which servers take part (as `versions.ts` knows them), and what they are made to do. */
export interface Recording extends Sample {
  readonly servers: readonly string[];
  record(studio: Studio): Promise<void>;
}

export const FORM = 'application/x-www-form-urlencoded';
