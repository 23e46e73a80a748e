import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packet, pcap } from '../packet/formats/written-captures.js';

const PROGRAM = join(import.meta.dirname, 'fixtures', 'read-standard-input.ts');
const bytes = pcap([packet(0), packet(1, 80)]);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fcgi-inspect-stdin-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function start(stdin: 'pipe' | 'ignore' | number): { child: ChildProcess; lines: AsyncIterator<string> } {
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM], { stdio: [stdin, 'pipe', 'inherit'] });
  return { child, lines: createInterface({ input: child.stdout! })[Symbol.asyncIterator]() };
}

async function rest(lines: AsyncIterator<string>): Promise<string[]> {
  const all: string[] = [];
  for (let next = await lines.next(); !next.done; next = await lines.next()) all.push(next.value);
  return all;
}

describe('standard input', () => {
  it('is read from a pipe, each packet as it comes', async () => {
    const { child, lines } = start('pipe');
    child.stdin!.write(bytes.subarray(0, 24 + 76));
    expect((await lines.next()).value).toBe('packet 60 -1');
    child.stdin!.end(bytes.subarray(24 + 76));
    expect(await rest(lines)).toEqual(['packet 80 -1', 'end standard input null']);
  });

  it('may be a file, and nothing', async () => {
    const path = join(folder, 'redirected.pcap');
    writeFileSync(path, bytes);
    const file = openSync(path, 'r');
    const { lines } = start(file);
    expect(await rest(lines)).toEqual(['packet 60 -1', 'packet 80 -1', `end standard input ${bytes.length}`]);
    closeSync(file);
    expect(await rest(start('ignore').lines)).toEqual(['error standard input is empty']);
  });
});
