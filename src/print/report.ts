import { evidenceRecords } from '../model/evidence-words.js';
import type { ExchangeRow } from '../model/exchange.js';
import { rowOf } from '../model/exchange-row.js';
import type { RowOutput } from '../model/output.js';
import { redactExchange } from '../model/redaction.js';
import { Digest } from './digest.js';
import type { PrintOptions } from './lines.js';
import { reportPage } from './report-page.js';

/**
 * One text at the end, for somebody who has to mend it: what went wrong, in how many requests, and what to change. Of most requests a row
 * is enough; whole ones are fetched for the examples, at once, as a capture that is read in step forgets what it has given.
 */
export function report(options: PrintOptions): RowOutput {
  const { inspection, redact } = options;
  const digest = new Digest(redact);
  let identified = 0;

  /** @returns whether it could be looked at */
  const look = async (row: ExchangeRow): Promise<boolean> => {
    const exchange = await inspection.exchange(row.n);
    if (exchange === null) return false;
    // Its surroundings may have changed its findings since the row was made.
    const now = rowOf(exchange);
    const evidence = exchange.findings.flatMap((finding) => finding.evidence);
    digest.add(now);
    digest.see(now, redact ? redactExchange(exchange) : exchange, await evidenceRecords(inspection, row.n, evidence));
    return true;
  };

  /** Who is at the two ends is told by requests that went well, too. */
  const identify = async (rows: readonly ExchangeRow[]): Promise<void> => {
    const row = rows.find(({ findings }) => findings.length === 0);
    if (row === undefined || identified >= IDENTIFIED) return;
    identified += 1;
    const exchange = await inspection.exchange(row.n);
    if (exchange !== null) digest.identify(exchange);
  };

  return {
    async rows(rows) {
      for (const row of rows) if (!digest.wants(row) || !(await look(row))) digest.add(row);
      await identify(rows);
    },
    async end(summary) {
      // A session that has died cannot say it any more.
      const overview = await inspection.overview().catch(() => null);
      const width = options.width ?? null;
      await options.write(reportPage(digest, summary, overview, { color: options.color, width }));
    },
  };
}

/** So many requests without a finding are looked at, one of a batch. */
const IDENTIFIED = 20;
