import { type IPty, spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import { expect } from 'vitest';

/** A program starts in a second or two; the machine may be busy with other tests. */
const PATIENCE = 15_000;

/** A program in a real pseudo-terminal, and a terminal emulator that shows what a person would see. */
export class PtyTerminal {
  /** Everything that the program has written. */
  raw = '';
  readonly titles: string[] = [];
  readonly clipboard: string[] = [];
  bells = 0;
  /** What the terminal answered to reports that it was asked for: text that the program has made it type. */
  readonly answers: string[] = [];
  readonly exited: Promise<number>;

  private readonly terminal: InstanceType<typeof xterm.Terminal>;
  private readonly pty: IPty;
  private ended = false;
  private unwritten = 0;

  /** @param program a JavaScript file */
  constructor(
    program: string,
    args: readonly string[],
    size: { columns: number; rows: number },
    env: Readonly<Record<string, string>> = {},
  ) {
    const { CI: _, NO_COLOR: __, ...inherited } = process.env;
    this.terminal = new xterm.Terminal({
      cols: size.columns,
      rows: size.rows,
      allowProposedApi: true,
      scrollback: 1000,
    });
    this.terminal.parser.registerOscHandler(52, (data) => {
      this.clipboard.push(data);
      return true;
    });
    this.terminal.onTitleChange((title) => this.titles.push(title));
    this.terminal.onBell(() => this.bells++);
    this.terminal.onData((answer) => {
      this.answers.push(answer);
      this.pty.write(answer);
    });
    this.pty = spawn(process.execPath, [program, ...args], {
      name: 'xterm-256color',
      cols: size.columns,
      rows: size.rows,
      env: { ...inherited, NODE_ENV: 'production', ...env } as Record<string, string>,
    });
    this.pty.onData((data) => {
      this.raw += data;
      this.unwritten++;
      this.terminal.write(data, () => this.unwritten--);
    });
    this.exited = new Promise((resolve) => {
      this.pty.onExit(({ exitCode }) => {
        this.ended = true;
        resolve(exitCode);
      });
    });
  }

  /** The rows of the screen, without the spaces at their ends. */
  rows(): string[] {
    const { active } = this.terminal.buffer;
    return Array.from(
      { length: this.terminal.rows },
      (_, row) => active.getLine(active.baseY + row)?.translateToString(true, 0, this.terminal.cols) ?? '',
    );
  }

  text(): string {
    return this.rows().join('\n');
  }

  /** No synchronized update is half written: a person never sees what is in between. */
  private get whole(): boolean {
    return this.unwritten === 0 && this.raw.lastIndexOf('\x1b[?2026h') <= this.raw.lastIndexOf('\x1b[?2026l');
  }

  get alternate(): boolean {
    return this.terminal.buffer.active.type === 'alternate';
  }

  get scrolled(): number {
    return this.terminal.buffer.active.baseY;
  }

  /** Whether the cell is shown in reverse. */
  inverse(row: number, column: number): boolean {
    const { active } = this.terminal.buffer;
    return (
      active
        .getLine(active.baseY + row)
        ?.getCell(column)
        ?.isInverse() !== 0
    );
  }

  /** Whether any cell of the screen has a colour of its own. */
  coloured(): boolean {
    const { active } = this.terminal.buffer;
    for (let row = 0; row < this.terminal.rows; row++)
      for (let column = 0; column < this.terminal.cols; column++) {
        const cell = active.getLine(active.baseY + row)?.getCell(column);
        if (cell !== undefined && !(cell.isFgDefault() && cell.isBgDefault())) return true;
      }
    return false;
  }

  type(keys: string): void {
    this.pty.write(keys);
  }

  resize(columns: number, rows: number): void {
    this.terminal.resize(columns, rows);
    this.pty.resize(columns, rows);
  }

  /** Types, and waits for what should then be seen. */
  async see(keys: string, wanted: string | RegExp): Promise<string> {
    this.type(keys);
    return this.until(wanted);
  }

  async until(wanted: string | RegExp | ((text: string) => boolean)): Promise<string> {
    const fits = (text: string): boolean =>
      typeof wanted === 'string'
        ? text.includes(wanted)
        : typeof wanted === 'function'
          ? wanted(text)
          : wanted.test(text);
    const deadline = Date.now() + PATIENCE;
    while (!this.whole || !fits(this.text())) {
      if (Date.now() > deadline) expect.fail(`${String(wanted)} never came:\n${this.text()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return this.text();
  }

  signal(signal: NodeJS.Signals): void {
    this.pty.kill(signal);
  }

  kill(): void {
    if (!this.ended) this.pty.kill('SIGKILL');
    this.terminal.dispose();
  }
}
