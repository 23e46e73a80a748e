import type { TerminalOutput } from '../tui/screen.js';
import type { Output } from './output.js';

/** What to assume of a terminal that does not tell its size. */
const FALLBACK = { columns: 80, rows: 24 };

/** The terminal on standard output, written through an Output that does not block. */
export class Terminal implements TerminalOutput {
  constructor(
    private readonly output: Output,
    private readonly tty: NodeJS.WriteStream,
  ) {}

  get columns(): number {
    return this.tty.columns || FALLBACK.columns;
  }

  get rows(): number {
    return this.tty.rows || FALLBACK.rows;
  }

  write(data: string): boolean {
    return this.output.offer(data);
  }

  onDrain(listener: () => void): () => void {
    return this.output.onDrain(listener);
  }

  onResize(listener: () => void): () => void {
    this.tty.on('resize', listener);
    return () => this.tty.off('resize', listener);
  }
}
