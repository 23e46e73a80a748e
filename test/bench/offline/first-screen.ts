import { spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import { cpuOf } from '../relay/rig.js';
import { PROGRAM } from './contenders.js';

const COLUMNS = 120;
const ROWS = 40;
/** After which a screen that does not come is given up, in milliseconds. */
const PATIENCE = 20_000;
/** A person's keys come no faster. */
const BETWEEN_KEYS = 30;
/** Half of what is seen is a synchronized update that a terminal does not show. */
const UPDATE_BEGINS = '\x1b[?2026h';
const UPDATE_ENDS = '\x1b[?2026l';

/** A row of the list: a time of day, a method. */
const A_REQUEST = /\d\d:\d\d:\d\d\.\d{3} +(?:GET|POST) /;
/** What the title says when it reads no more. */
const ALL_READ = /^ fcgi-inspect .*all read/;

/** Keys, and the part of the status line that shows that they were obeyed; a file is shown from its first request. */
const KEYS: readonly (readonly [string, RegExp])[] = [
  ['j', /^ \[2\/\d+\]/],
  ['j', /^ \[3\/\d+\]/],
  ['k', /^ \[2\/\d+\]/],
  ['G', /^ \[(\d+)\/\1\]/],
  ['gg', /^ \[1\/\d+\]/],
];

/** In milliseconds. */
export interface Seen {
  /** From the start of the process to the first screen with requests. */
  readonly first: number;
  /** The CPU time that the process took until then, all threads. */
  readonly firstCpu: number;
  /** From each key to the screen that shows what it did, while the file was read. */
  readonly answers: readonly number[];
  /** From the key to the end of the process. */
  readonly quit: number;
}

/** The TUI on a file, in a pseudo-terminal of 120×40. It is quit when the file has been read, or after `most` keys. */
export async function measureScreen(file: string, most = Number.POSITIVE_INFINITY): Promise<Seen> {
  const begin = performance.now();
  const { CI: _, NO_COLOR: __, ...env } = process.env;
  const pty = spawn(process.execPath, [PROGRAM, file, '--format', 'tui'], {
    name: 'xterm-256color',
    cols: COLUMNS,
    rows: ROWS,
    env: env as Record<string, string>,
  });
  const terminal = new xterm.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true });
  let running = true;
  const exited = new Promise<void>((resolve) => {
    pty.onExit(() => {
      running = false;
      resolve();
    });
  });
  let updating = false;
  let seen: () => void = () => {};
  pty.onData((data) => {
    const [begun, ended] = [data.lastIndexOf(UPDATE_BEGINS), data.lastIndexOf(UPDATE_ENDS)];
    if (begun !== ended) updating = begun > ended;
    const whole = !updating;
    terminal.write(data, () => whole && seen());
  });

  function row(index: number): string {
    const { active } = terminal.buffer;
    return active.getLine(active.baseY + index)?.translateToString(true) ?? '';
  }

  function screen(): string {
    return Array.from({ length: ROWS }, (_, index) => row(index)).join('\n');
  }

  /** @returns when the screen fits, as performance.now() says it */
  function until(what: string, fits: () => boolean): Promise<number> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        seen = () => {};
        reject(new Error(`${what} never came:\n${screen()}`));
      }, PATIENCE);
      seen = () => {
        if (!fits()) return;
        clearTimeout(timer);
        seen = () => {};
        resolve(performance.now());
      };
      seen();
    });
  }

  try {
    const listed = () => Array.from({ length: ROWS }, (_, index) => row(index)).some((text) => A_REQUEST.test(text));
    const first = (await until('a request', listed)) - begin;
    const firstCpu = cpuOf(pty.pid) / 1000;
    const answers: number[] = [];
    for (let turn = 0; turn < most && !ALL_READ.test(row(0)); turn++) {
      const [keys, wanted] = KEYS[turn % KEYS.length]!;
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_KEYS));
      const pressed = performance.now();
      pty.write(keys);
      answers.push((await until(`the answer to ${keys}`, () => wanted.test(row(ROWS - 2)))) - pressed);
    }
    const asked = performance.now();
    pty.write('Q');
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`the end never came:\n${screen()}`)), PATIENCE);
    });
    await Promise.race([exited, late]);
    clearTimeout(timer);
    return { first, firstCpu, answers, quit: performance.now() - asked };
  } finally {
    if (running) pty.kill('SIGKILL');
    terminal.dispose();
  }
}
