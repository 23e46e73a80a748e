import type { Output } from '../model/output.js';
import { detail } from './detail.js';
import { lines, type PrintOptions } from './lines.js';
import { report } from './report.js';

export { type ExplainedMessage, type ExplainedRequests, explanation, requestWords } from './explanation.js';
export type { PrintOptions } from './lines.js';
export { ruleList, rulePage } from './rules.js';
export { summaryText } from './session-summary.js';

/** All formats that standard output is printed in, by their name. A new one is a file beside these and a line here. */
export const PRINTERS = { lines, detail, report } as const satisfies Readonly<
  Record<string, (options: PrintOptions) => Output>
>;
