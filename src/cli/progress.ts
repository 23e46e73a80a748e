import type { Inspection } from '../model/inspection.js';
import { progressText } from '../model/source-progress.js';
import type { Writer } from './writer.js';

/** Milliseconds between two looks; short files are read before the first. */
const INTERVAL = 250;
const CLEAR_LINE = '\r\x1b[K';

/** One line on a terminal's standard error that says how far a capture has been read; gone when it is stopped. */
export class Progress {
  private readonly timer: NodeJS.Timeout;
  private shown = false;
  private stopped = false;

  constructor(
    private readonly inspection: Inspection,
    private readonly stderr: Writer,
  ) {
    this.timer = setInterval(() => this.draw().catch(() => {}), INTERVAL);
    this.timer.unref();
  }

  /** Makes room for a message; the line comes again below it. */
  clear(): void {
    if (this.shown) this.stderr.offer(CLEAR_LINE);
    this.shown = false;
  }

  stop(): void {
    this.stopped = true;
    clearInterval(this.timer);
    this.clear();
  }

  private async draw(): Promise<void> {
    const { progress, exchanges, live } = await this.inspection.overview();
    if (progress === null || !live || this.stopped) return;
    this.shown = true;
    const requests = exchanges.total === 1 ? '1 request' : `${exchanges.total} requests`;
    this.stderr.offer(`${CLEAR_LINE}${progressText(progress)}, ${requests}`);
  }
}
