import { EventEmitter } from 'node:events';
import { render } from 'ink';
import type { Inspection } from '../model/inspection.js';
import { App } from './app.js';
import type { Effects } from './commands.js';
import { dispatch } from './dispatcher.js';
import { FRAME_INTERVAL, FrameClock } from './frame-clock.js';
import { ESCAPE_TIMEOUT, type KeyEvent, KeyParser } from './key-parser.js';
import { createPainter } from './paint.js';
import { Puller } from './puller.js';
import { MARKS_PER_ROW, RowSheet } from './row-sheet.js';
import { Screen, type TerminalOutput } from './screen.js';
import { createViewStore } from './view-store.js';

/** Where keys come from: standard input, or /dev/tty when standard input is the capture. */
export interface TerminalInput {
  setRawMode?(raw: boolean): unknown;
  on(event: 'data', listener: (chunk: Uint8Array | string) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  off(event: 'data', listener: (chunk: Uint8Array | string) => void): unknown;
  off(event: 'end', listener: () => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

export interface TuiOptions {
  /** The display filter to begin with. */
  readonly filter?: string;
  /** Begin at the newest request and stay there (a live source), or at the first (a file). */
  readonly follow?: boolean;
  readonly colours?: boolean;
}

export interface TuiParts {
  readonly inspection: Inspection;
  readonly output: TerminalOutput;
  readonly input: TerminalInput;
  readonly options?: TuiOptions;
}

/** Milliseconds. Rates and open requests change though nothing happens. */
const TICK = 1_000;

let running: (() => void) | null = null;

/** Gives the terminal back at once if a TUI has it, from wherever: a crash, a signal. The TUI ends by it. */
export function restore(): void {
  running?.();
}

/**
 * Shows the inspection. Resolves when the user has quit or the input has ended, rejects when drawing failed (a defect of ours); the
 * terminal is then as it was before.
 */
export function startTui({ inspection, output, input, options = {} }: TuiParts): Promise<void> {
  const store = createViewStore({
    columns: output.columns,
    rows: output.rows,
    filter: options.filter ?? '',
    follow: options.follow ?? true,
  });
  const screen = new Screen(output, () => {
    frames.tick();
    puller.want();
  });
  const frames = new FrameClock(store, () => screen.ready);
  const puller = new Puller(inspection, store, FRAME_INTERVAL, () => screen.ready);

  let finish = (): void => {};
  let fail = (_: unknown): void => {};
  const quit = new Promise<void>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  const effects: Effects = {
    quit: () => close(),
    redraw: () => screen.redraw(),
  };

  const keys = keyReader((event) => {
    dispatch(store, event, effects);
    puller.want();
  });
  const onResize = output.onResize(() => {
    screen.forget();
    store.setState({ columns: output.columns, rows: output.rows });
    puller.want();
  });
  const ticking = setInterval(() => {
    if (store.getState().overview?.live !== false) puller.want();
  }, TICK);

  screen.start();
  const drawing = { painter: createPainter(options.colours ?? true), sheet: new RowSheet() };
  const instance = render(<App frames={frames} drawing={drawing} />, {
    stdout: frameStream((frame) => screen.frame(drawing.sheet.fill(frame))),
    stdin: silence(),
    debug: true,
    patchConsole: false,
    exitOnCtrlC: false,
  });
  instance.waitUntilExit().catch((error: unknown) => {
    fail(error);
    close();
  });
  input.setRawMode?.(true);
  input.on('data', keys.push);
  input.on('end', close);
  input.resume();
  puller.want();

  let closed = false;
  function close(): void {
    if (closed) return;
    closed = true;
    running = null;
    clearInterval(ticking);
    onResize();
    keys.stop();
    input.off('data', keys.push);
    input.off('end', close);
    puller.stop();
    frames.close();
    // First the screen: the renderer's last frame is not wanted any more.
    screen.restore();
    instance.unmount();
    input.setRawMode?.(false);
    input.pause();
    finish();
  }
  running = close;
  return quit;
}

/** Keys from chunks, with the clock that tells a lone Escape from a sequence. */
function keyReader(sink: (event: KeyEvent) => void): { push(chunk: Uint8Array | string): void; stop(): void } {
  const parser = new KeyParser();
  let timer: NodeJS.Timeout | null = null;
  const stop = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
  };
  return {
    push(chunk) {
      stop();
      for (const event of parser.push(chunk)) sink(event);
      if (parser.waiting)
        timer = setTimeout(() => {
          for (const event of parser.flush()) sink(event);
        }, ESCAPE_TIMEOUT);
    },
    stop,
  };
}

/** What the renderer takes for its terminal: with `debug` each write is one whole frame. */
export function frameStream(sink: (frame: string) => void): NodeJS.WriteStream {
  return Object.assign(new EventEmitter(), {
    isTTY: false,
    columns: MARKS_PER_ROW,
    write(frame: string): boolean {
      sink(frame);
      return true;
    },
  }) as unknown as NodeJS.WriteStream;
}

/** The renderer gets no keys: they all go through the dispatcher. */
function silence(): NodeJS.ReadStream {
  return Object.assign(new EventEmitter(), {
    isTTY: false,
    setEncoding() {},
    ref() {},
    unref() {},
  }) as unknown as NodeJS.ReadStream;
}
