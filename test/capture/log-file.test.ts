import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogFollower, readLog } from '../../src/capture/log-file.js';
import { until } from '../support/real/daemon.js';

const NGINX = '2026/11/20 13:32:21 [error] 1#1: *29';

let folder: string;
let path: string;
const followers: LogFollower[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'log-file-'));
  path = join(folder, 'error.log');
});

afterEach(async () => {
  for (const follower of followers.splice(0)) await follower.stop();
  rmSync(folder, { recursive: true });
});

describe('a log that is read', () => {
  it('gives all lines with their numbers, the last without an end too', async () => {
    writeFileSync(path, 'one\r\n\ntwo\nthree');
    const lines: [string, number][] = [];
    await readLog(path, (text, line) => lines.push([text, line]));
    expect(lines).toEqual([
      ['one', 1],
      ['', 2],
      ['two', 3],
      ['three', 4],
    ]);
  });

  it('puts lines together that come in parts, and cuts long ones', async () => {
    const long = 'a'.repeat(200_000);
    writeFileSync(path, `${long}\n${'b'.repeat(30_000)}ä\n\xff\n`);
    const lines: string[] = [];
    await readLog(path, (text) => lines.push(text));
    expect(lines.map(({ length }) => length)).toEqual([32 * 1024, 30_001, 1]);
    expect(lines[1]!.endsWith('ä')).toBe(true);
  });

  it('gives an entry of several lines as one, up to what is written anew', async () => {
    const trace = ['Stack trace:', '#0 {main}', '  thrown in /srv/a.php on line 1'];
    const fatal = `${NGINX} FastCGI sent in stderr: "PHP message: PHP Fatal error:  Uncaught Error in /srv/a.php:1`;
    const passedOn = [fatal, ...trace.slice(0, -1), `${trace[2]}" while reading upstream, client: ::1, server: a`];
    const own = ['[20-Nov-2026 13:32:21 UTC] PHP Fatal error:  Uncaught Error in /srv/a.php:1', ...trace];
    const plain = `${NGINX} recv() failed`;
    const apart = [plain, 'said by somebody else'];
    const [begun, endless] = [`${NGINX} FastCGI sent in stderr: "a`, Array.from({ length: 60 }, (_, i) => `${i}`)];
    writeFileSync(path, [...passedOn, ...passedOn, plain, ...own, ...apart, begun, ...endless].join('\n'));
    const entries: [string, number][] = [];
    await readLog(path, (text, line) => entries.push([text, line]));
    expect(entries.slice(0, 7)).toEqual([
      [passedOn.join('\n'), 1],
      [passedOn.join('\n'), 5],
      [plain, 9],
      [own.join('\n'), 10],
      [plain, 14],
      ['said by somebody else', 15],
      [[begun, ...endless.slice(0, 49)].join('\n'), 16],
    ]);
    expect(entries.slice(7)).toEqual(endless.slice(49).map((text, i) => [text, 66 + i]));
  });

  it('says when it cannot be read', async () => {
    await expect(readLog(path, () => {})).rejects.toMatchObject({ code: 'not-found' });
    await expect(readLog(folder, () => {})).rejects.toMatchObject({ code: 'io' });
  });
});

describe('a log that is followed', () => {
  async function follow(): Promise<{ lines: string[]; warnings: string[] }> {
    const lines: string[] = [];
    const warnings: string[] = [];
    const follower = new LogFollower(
      path,
      (text) => lines.push(text),
      (text) => warnings.push(text),
    );
    followers.push(follower);
    await follower.start();
    return { lines, warnings };
  }

  it('is read from where it ended, line by line', async () => {
    writeFileSync(path, 'old\n');
    const { lines } = await follow();
    appendFileSync(path, 'one\ntw');
    await until('one is there', () => lines.length === 1);
    appendFileSync(path, 'o\nthree\n');
    await until('three is there', () => lines.length === 3);
    expect(lines).toEqual(['one', 'two', 'three']);
  });

  it('goes on through rotation, and loses nothing of either file', async () => {
    writeFileSync(path, 'old\n');
    const { lines, warnings } = await follow();
    renameSync(path, `${path}.1`);
    appendFileSync(`${path}.1`, 'to the old one\n');
    writeFileSync(path, 'to the new one\n');
    await until('both are there', () => lines.length === 2);
    expect(lines).toEqual(['to the old one', 'to the new one']);
    expect(warnings).toEqual([]);
  });

  it('holds an entry that may go on until another begins, or nothing was added', async () => {
    writeFileSync(path, '');
    const { lines } = await follow();
    const begun = `${NGINX} FastCGI sent in stderr: "one`;
    appendFileSync(path, `${begun}\ntwo" while reading upstream\n${begun}\nthree`);
    await until('the first is there', () => lines.length === 1);
    appendFileSync(path, '" while\n');
    await until('the second is there', () => lines.length === 2);
    expect(lines).toEqual([`${begun}\ntwo" while reading upstream`, `${begun}\nthree" while`]);
  });

  it('goes on through truncation', async () => {
    writeFileSync(path, 'a line that is long enough\n');
    const { lines } = await follow();
    truncateSync(path);
    appendFileSync(path, 'new\n');
    await until('it is there', () => lines.length === 1);
    expect(lines).toEqual(['new']);
  });

  it('is waited for, with one warning; all of it is read then', async () => {
    const { lines, warnings } = await follow();
    writeFileSync(path, 'first\n');
    await until('it is there', () => lines.length === 1);
    expect(warnings).toEqual([expect.stringContaining('error.log cannot be read, and is tried again: it does not')]);
  });

  it('comes a part at a time when there is much', async () => {
    writeFileSync(path, '');
    const { lines } = await follow();
    const line = 'x'.repeat(99);
    appendFileSync(path, `${line}\n`.repeat(10_000));
    await until('all is there', () => lines.length === 10_000);
    expect(new Set(lines)).toEqual(new Set([line]));
  });

  it('may be no file', async () => {
    path = folder;
    expect((await follow()).warnings).toEqual([expect.stringContaining('it is no file')]);
  });
});
