import { EventEmitter } from 'node:events';
import xterm from '@xterm/headless';
import { expect } from 'vitest';
import type { Inspection } from '../../src/model/inspection.js';
import { startTui, type TuiOptions } from '../../src/tui/start.js';
import { FakeTerminal } from './fake-terminal.js';

const PATIENCE = 8_000;

/** The TUI in this process, on a terminal in memory: as fast as it gets, and the terminal can be stopped. */
export class VirtualTui {
  readonly output: FakeTerminal;
  readonly quit: Promise<void>;
  private readonly input = Object.assign(new EventEmitter(), { resume() {}, pause() {} });
  private readonly screen: InstanceType<typeof xterm.Terminal>;
  private read = 0;

  constructor(inspection: Inspection, options: TuiOptions = {}, size = { columns: 120, rows: 30 }) {
    this.output = new FakeTerminal(size.columns, size.rows);
    this.screen = new xterm.Terminal({ cols: size.columns, rows: size.rows, allowProposedApi: true });
    this.quit = startTui({
      inspection,
      output: this.output,
      input: this.input,
      options: { colours: false, ...options },
    });
  }

  type(keys: string): void {
    this.input.emit('data', Buffer.from(keys));
  }

  resize(columns: number, rows: number): void {
    this.screen.resize(columns, rows);
    this.output.resize(columns, rows);
  }

  async text(): Promise<string> {
    const data = this.output.written.slice(this.read).join('');
    this.read = this.output.written.length;
    await new Promise<void>((resolve) => this.screen.write(data, resolve));
    const { active } = this.screen.buffer;
    return Array.from(
      { length: this.screen.rows },
      (_, row) => active.getLine(active.baseY + row)?.translateToString(true, 0, this.screen.cols) ?? '',
    ).join('\n');
  }

  /** Waits for what must be seen at last, and gives the screen. */
  async until(wanted: string | RegExp): Promise<string> {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      const text = await this.text();
      if (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text)) return text;
      if (Date.now() > deadline) expect.fail(`${String(wanted)} never came:\n${text}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async see(keys: string, wanted: string | RegExp): Promise<string> {
    this.type(keys);
    return this.until(wanted);
  }

  async close(): Promise<void> {
    this.input.emit('end');
    await this.quit;
    this.screen.dispose();
  }
}
