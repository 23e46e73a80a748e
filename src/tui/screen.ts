/**
 * The frame writer. A frame is the whole screen as text, one line a row, each as wide as the terminal; what is written is the difference to the last frame that
 * really went out, each changed row addressed absolutely, in one synchronized update. Nothing is ever cleared after the start, so
 * nothing flickers, and a terminal that stops reading costs nothing: while it does not drain, only the newest frame is kept.
 */

/** What a terminal must offer. `write` never blocks. */
export interface TerminalOutput {
  readonly columns: number;
  readonly rows: number;
  /** Takes the data in any case; false says that it has not drained, and that `onDrain` will tell when it has. */
  write(data: string): boolean;
  /** Returns how to stop listening, as `onResize` does. */
  onDrain(listener: () => void): () => void;
  onResize(listener: () => void): () => void;
}

const ESC = '\x1b';
/** Alternate screen, cursor hidden, no automatic wrap (a line too wide must not push the others down), bracketed paste. */
const ENTER = `${ESC}[?1049h${ESC}[?25l${ESC}[?7l${ESC}[?2004h${ESC}[0m${ESC}[H${ESC}[2J`;
/** In reverse; the alternate screen last, so that what was there before comes back whole. */
const LEAVE = `${ESC}[?2026l${ESC}[?2004l${ESC}[0m${ESC}[?7h${ESC}[?25h${ESC}[?1049l`;
const SYNC_BEGIN = `${ESC}[?2026h`;
const SYNC_END = `${ESC}[?2026l`;

export class Screen {
  // `shown` is what the terminal has, row by row; a row that is not there is not known. `latest` is the newest frame; it has gone out
  // unless `pending`. `blocked` holds from a write that did not drain until it drains.
  private shown: string[] = [];
  private latest = '';
  private pending = false;
  private blocked = false;
  private active = false;
  private readonly unsubscribe: () => void;

  constructor(
    private readonly output: TerminalOutput,
    /** Called when frames that were held back may be drawn again. */
    private readonly onReady: () => void = () => {},
  ) {
    this.unsubscribe = output.onDrain(() => this.drained());
  }

  /** False while the terminal does not take what was written: drawing a frame would be work for nothing. */
  get ready(): boolean {
    return this.active && !this.blocked;
  }

  start(): void {
    if (this.active) return;
    this.active = true;
    this.blocked = !this.output.write(ENTER);
  }

  frame(text: string): void {
    if (!this.active) return;
    this.latest = text;
    this.draw();
  }

  /** What the terminal shows is not known any more (a resize): the next frame is written whole. */
  forget(): void {
    this.shown = [];
  }

  /** Writes the newest frame once more, whole. */
  redraw(): void {
    this.forget();
    if (this.active) this.draw();
  }

  /** Gives the terminal back as it was. Any number of calls, from anywhere: a crash or a signal may come at any time. */
  restore(): void {
    if (!this.active) return;
    this.active = false;
    this.unsubscribe();
    this.output.write(LEAVE);
  }

  private drained(): void {
    this.blocked = false;
    if (!this.active) return;
    if (this.pending) this.draw();
    if (!this.blocked) this.onReady();
  }

  private draw(): void {
    this.pending = this.blocked;
    if (this.blocked) return;
    const lines = this.latest.split('\n');
    let changes = '';
    for (let row = 0; row < this.output.rows; row++) {
      const line = lines[row] ?? '';
      if (this.shown[row] === line) continue;
      this.shown[row] = line;
      changes += this.row(row, line);
    }
    this.shown.length = this.output.rows;
    if (changes !== '') this.blocked = !this.output.write(`${SYNC_BEGIN}${changes}${SYNC_END}`);
  }

  private row(row: number, line: string): string {
    // Spaces at the end are erased rather than written. A row without any is full, and the cursor then stands on its last cell:
    // erasing from there would take that cell away.
    const text = line.trimEnd();
    return `${ESC}[${row + 1};1H${ESC}[0m${text}${ESC}[0m${text === line && line !== '' ? '' : `${ESC}[K`}`;
  }
}
