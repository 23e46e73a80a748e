import { readFileSync } from 'node:fs';
import { FcgiInspectError } from '../model/errors.js';
import { visibleText } from '../model/visible-text.js';
import { FilterError, filterErrorPicture } from '../session/filter.js';
import { parseArguments } from './arguments.js';
import { explain } from './explain.js';
import { run } from './run.js';
import { restoreTerminal } from './terminal.js';
import { Writer } from './writer.js';

/** How long what was written last may take to leave. */
const LAST_WORDS = 1_000;
/** What the command line got wrong, as against what the system did not let us do. */
const USAGE: ReadonlySet<string> = new Set(['usage', 'bad-address', 'bad-filter']);

const stdout = new Writer(1);
const stderr = new Writer(2);

process.once('uncaughtException', (error) => void leave(report(error)));
await leave(await main());

/** A reader that never comes, or a timer of ours, must not keep the process. */
async function leave(status: number): Promise<void> {
  restoreTerminal();
  await Promise.all([stdout.flush(LAST_WORDS), stderr.flush(LAST_WORDS)]);
  process.exit(status);
}

async function main(): Promise<number> {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  try {
    const parsed = parseArguments(process.argv.slice(2), {
      version,
      stdinIsTerminal: process.stdin.isTTY === true,
      stdoutIsTerminal: process.stdout.isTTY === true,
      columns: process.stdout.columns,
      env: process.env,
    });
    if ('print' in parsed) {
      stdout.offer(parsed.print);
      return 0;
    }
    if ('explain' in parsed) return await explain(parsed.explain, stdout);
    return await run(parsed.settings, { stdout, stderr, version });
  } catch (error) {
    return report(error as Error);
  }
}

function report(error: Error): number {
  if (!(error instanceof FcgiInspectError)) {
    // A defect of ours: the place is what helps to mend it.
    restoreTerminal();
    const lines = (error.stack ?? error.message).split('\n').map((line) => visibleText(line));
    stderr.offer(`fcgi-inspect: ${lines.join('\n')}\n`);
    return 1;
  }
  const picture = error instanceof FilterError ? filterErrorPicture(error).split('\n') : [];
  // Names of files, and what stands on the command line, may hold anything.
  const below = [...picture, ...(error.advice?.split('\n') ?? [])].map((line) => `  ${visibleText(line)}\n`);
  stderr.offer(`fcgi-inspect: ${visibleText(error.message)}\n${below.join('')}`);
  return USAGE.has(error.code) ? 2 : 1;
}
