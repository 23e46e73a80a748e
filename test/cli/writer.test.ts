import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Writer } from '../../src/cli/writer.js';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fcgi-inspect-test-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A pipe with both ends in our hands. */
function pipe(): { read: number; write: number } {
  const path = join(directory, 'fifo');
  execFileSync('mkfifo', [path]);
  const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { read, write: openSync(path, constants.O_WRONLY) };
}

describe('Writer', () => {
  it('writes a file in order', async () => {
    const path = join(directory, 'file');
    const fd = openSync(path, 'w');
    const writer = new Writer(fd);
    await Promise.all(Array.from({ length: 50 }, (_, index) => writer.write(`${index}\n`)));
    expect(readFileSync(path, 'utf8').trim().split('\n').map(Number)).toEqual(
      Array.from({ length: 50 }, (_, index) => index),
    );
    closeSync(fd);
  });

  it('is never blocked by a pipe that nobody reads, and loses nothing when somebody does', async () => {
    const { read, write } = pipe();
    const writer = new Writer(write);
    const text = 'x'.repeat(1_000_000);
    let done = false;
    const written = writer.write(text).then(() => {
      done = true;
    });
    expect(writer.offer('y')).toBe(false);
    // A blocking write would never come to this line.
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(done).toBe(false);
    let drained = 0;
    writer.onDrain(() => drained++);
    const got: Buffer[] = [];
    const buffer = Buffer.alloc(65_536);
    while (drained === 0) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      try {
        const count = readSync(read, buffer);
        got.push(Buffer.from(buffer.subarray(0, count)));
      } catch {
        // Nothing there at the moment.
      }
    }
    await written;
    for (;;) {
      try {
        const count = readSync(read, buffer);
        if (count === 0) break;
        got.push(Buffer.from(buffer.subarray(0, count)));
      } catch {
        break;
      }
    }
    expect(Buffer.concat(got).toString()).toBe(`${text}y`);
    closeSync(read);
    closeSync(write);
  });

  it('gives up waiting for a reader that never comes', async () => {
    const { read, write } = pipe();
    const writer = new Writer(write);
    writer.offer('x'.repeat(1_000_000));
    await writer.flush(30);
    closeSync(read);
    closeSync(write);
  });

  it('rejects when the reader has gone, then and later', async () => {
    const { read, write } = pipe();
    const writer = new Writer(write);
    closeSync(read);
    await expect(writer.write('x')).rejects.toMatchObject({ code: 'EPIPE' });
    await expect(writer.write('y')).rejects.toMatchObject({ code: 'EPIPE' });
    closeSync(write);
  });
});
