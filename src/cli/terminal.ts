import type { TerminalOutput } from '../tui/screen.js';
import type { Writer } from './writer.js';

/** Undoes what the terminal UI does to the terminal, once there is one: it is loaded late, and everybody else must not wait for it. */
let giveBack: () => void = () => {};

/** From here on `restoreTerminal` calls this: any number of times, from anywhere. */
export function terminalTaken(restore: () => void): void {
  giveBack = restore;
}

/** Gives the terminal back at once if the terminal UI has it; that then ends. */
export function restoreTerminal(): void {
  giveBack();
}

/** What to assume of a terminal that does not tell its size. */
const FALLBACK = { columns: 80, rows: 24 };

/** The terminal on standard output, written through a Writer that does not block. */
export class Terminal implements TerminalOutput {
  constructor(
    private readonly writer: Writer,
    private readonly tty: NodeJS.WriteStream,
  ) {}

  get columns(): number {
    return this.tty.columns || FALLBACK.columns;
  }

  get rows(): number {
    return this.tty.rows || FALLBACK.rows;
  }

  write(data: string): boolean {
    return this.writer.offer(data);
  }

  onDrain(listener: () => void): () => void {
    return this.writer.onDrain(listener);
  }

  onResize(listener: () => void): () => void {
    this.tty.on('resize', listener);
    return () => this.tty.off('resize', listener);
  }
}
