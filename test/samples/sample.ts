import type { Outcome } from '../../src/model/exchange.js';

/** One file in samples/: what it shows, and what whoever reads it must find. */
export interface Sample {
  readonly file: string;
  /** Further files, to be read together with it. */
  readonly and?: readonly string[];
  /** The story, in a sentence without its full stop. */
  readonly shows: string;
  /** What is worth looking at in it. */
  readonly look: string;
  /** The server ports that carry FastCGI (or what was sent in its place). Empty: no TCP in it. */
  readonly ports: readonly number[];
  /** It must be read with --port: there is no FastCGI in it that could be found. */
  readonly byPort?: boolean;
  readonly connections: number;
  readonly requests: number;
  readonly outcomes: Partial<Readonly<Record<Outcome, number>>>;
}

/** As samples/manifest.json has it. */
export interface ListedSample extends Sample {
  /** Servers with their versions, or the samples that it was made from and how. */
  readonly origin: string;
}
