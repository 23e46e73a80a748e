import type { ExchangeOutput, OutputOptions } from '../model/output.js';
import { har } from './har.js';
import { ndjson } from './ndjson.js';

/** Makes an output that writes one format; it is then told of every request, and ended once. */
export type Exporter = (options: OutputOptions) => ExchangeOutput;

/** All formats that requests are exported to. A new one is a file beside these and a line here. */
export const EXPORTERS = { har, ndjson } as const satisfies Readonly<Record<string, Exporter>>;
