import type { TerminalOutput } from '../../src/tui/screen.js';

/** A terminal in memory that can stop reading. */
export class FakeTerminal implements TerminalOutput {
  readonly written: string[] = [];
  draining = true;
  private readonly onDrainListeners = new Set<() => void>();
  private readonly onResizeListeners = new Set<() => void>();

  constructor(
    public columns: number,
    public rows: number,
  ) {}

  get listeners(): number {
    return this.onDrainListeners.size;
  }

  write(data: string): boolean {
    this.written.push(data);
    return this.draining;
  }

  onDrain(listener: () => void): () => void {
    this.onDrainListeners.add(listener);
    return () => this.onDrainListeners.delete(listener);
  }

  onResize(listener: () => void): () => void {
    this.onResizeListeners.add(listener);
    return () => this.onResizeListeners.delete(listener);
  }

  /** It has read what it had; `again` whether it goes on reading. */
  drain({ again = true } = {}): void {
    this.draining = again;
    for (const listener of [...this.onDrainListeners]) listener();
  }

  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    for (const listener of [...this.onResizeListeners]) listener();
  }
}
