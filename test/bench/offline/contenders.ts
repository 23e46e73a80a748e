import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { commandOf } from '../../support/real/requirements.js';
import { SERVER_PORT } from './packet-fields.js';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
export const PROGRAM = here('../../../bin/fcgi-inspect.js');

export type Contender = 'ndjson' | 'lines' | 'tshark' | 'plain read';

export interface Taken {
  readonly seconds: number;
  /** User and system time of the process, all threads. */
  readonly cpu: number;
  /** Peak of the resident memory. */
  readonly bytes: number;
}

/** @returns the command line that reads `file` */
function commandLine(contender: Contender, file: string): string[] {
  if (contender === 'plain read') return [process.execPath, here('plain-read.js'), file];
  if (contender !== 'tshark') return [process.execPath, PROGRAM, file, '--format', contender, '--quiet'];
  const fields = ['-T', 'fields', '-e', 'fcgi.type', '-e', 'fcgi.id'];
  return [commandOf('tshark'), '-r', file, '-d', `tcp.port==${SERVER_PORT},fcgi`, ...fields];
}

/** @throws when it fails: what does not do its work is not measured */
export async function measure(contender: Contender, file: string): Promise<Taken> {
  const { out, errors } = await outputOf('python3', [here('run-measured.py'), ...commandLine(contender, file)]);
  const taken = JSON.parse(out) as { seconds: number; cpu: number; kilobytes: number; status: number };
  if (taken.status !== 0) throw new Error(`${contender} ended with ${taken.status} on ${file}: ${errors}`);
  return { seconds: taken.seconds, cpu: taken.cpu, bytes: taken.kilobytes * 1024 };
}

/** How many requests fcgi-inspect finds in a file, and how many of them whole. Reads the file into the disk cache, too. */
export async function requestsIn(file: string): Promise<{ readonly requests: number; readonly completed: number }> {
  const { out } = await outputOf(process.execPath, [...commandLine('ndjson', file).slice(1)]);
  return JSON.parse(out.slice(out.lastIndexOf('\n', out.length - 2) + 1));
}

/** The end of what a command writes, in which its last line is. */
function outputOf(command: string, args: readonly string[]): Promise<{ out: string; errors: string }> {
  return new Promise((resolve, reject) => {
    // It ends when we do, however that is.
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', command, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out = (out + text).slice(-LAST);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-LAST);
    });
    child.once('error', reject);
    child.once('close', () => resolve({ out, errors }));
  });
}

const LAST = 4096;
