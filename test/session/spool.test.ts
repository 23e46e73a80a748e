import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Endpoint } from '../../src/model/connection.js';
import { MIN_SEGMENT, Spool, type SpoolOptions } from '../../src/session/spool.js';
import { temporaryFiles } from '../../src/session/spool-files.js';
import { diskFull, FakeFiles } from '../support/fake-files.js';
import { answer, request, tcp } from '../support/fake-source.js';
import { commandOf, requireServers } from '../support/real/requirements.js';

const AT = 1_789_000_000_123_456;
const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const spool of closing.splice(0)) await spool.close();
});

function make(options: Partial<SpoolOptions> = {}): { spool: Spool; files: FakeFiles } {
  const files = new FakeFiles();
  const spool = new Spool({ files, flushAfter: 1, retryAfter: 1, ...options });
  closing.push(spool);
  return { spool, files };
}

function writer(spool: Spool): (bytes: Uint8Array) => number {
  const channel = spool.channel(1, tcp(40_000), tcp(9_000));
  let offset = 0;
  return (bytes) => {
    const position = channel.append('client', offset, 0, bytes, AT, -1);
    offset += bytes.length;
    return position;
  };
}

async function read(spool: Spool, position: number, length: number): Promise<Uint8Array | null> {
  return (await spool.reader().read(position, length, position + length))?.slice() ?? null;
}

async function holds(spool: Spool, position: number, bytes: Uint8Array): Promise<boolean> {
  const got = await read(spool, position, bytes.length);
  return got !== null && Buffer.compare(got, bytes) === 0;
}

describe('Spool', () => {
  it('gives back what was appended, from memory and from the disk', async () => {
    const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 3_000 }), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(chunks, fc.boolean(), async (parts, flushed) => {
        const { spool } = make();
        const append = writer(spool);
        const borrowed = parts.map((part) => part.slice());
        const positions = borrowed.map((part) => {
          const position = append(part);
          part.fill(0xa5);
          return position;
        });
        if (flushed) await spool.flush();
        const reader = spool.reader();
        const until = positions.at(-1)! + parts.at(-1)!.length;
        for (const [i, part] of parts.entries()) {
          expect((await reader.read(positions[i]!, part.length, until))?.slice()).toEqual(part);
        }
        await spool.close();
      }),
      { numRuns: 50 },
    );
  });

  it('reads what is half on the disk, and while it goes there', async () => {
    const { spool, files } = make();
    files.atOnce = 1_000;
    const append = writer(spool);
    const parts = Array.from({ length: 200 }, (_, i) => new Uint8Array(700).fill(i));
    const positions: number[] = [];
    for (const part of parts) {
      positions.push(append(part));
      if (positions.length % 20 === 0) await sleep(1);
      const i = Math.floor(positions.length / 2);
      expect(await read(spool, positions[i] ?? positions[0]!, 700)).toEqual(parts[positions[i] === undefined ? 0 : i]);
    }
    await spool.flush();
    for (const [i, part] of parts.entries()) expect(await read(spool, positions[i]!, 700)).toEqual(part);
  });

  it('writes nothing on the way of an append', () => {
    const { spool, files } = make();
    const append = writer(spool);
    for (let i = 0; i < 100; i += 1) append(new Uint8Array(60_000));
    expect(files.files.size).toBe(0);
  });

  it('keeps what it accepted through a full disk, refuses what would be too much, and recovers', async () => {
    const { spool, files } = make({ pendingLimit: 2 * 1024 * 1024 });
    files.failure = diskFull();
    const append = writer(spool);
    const part = new Uint8Array(50_000).fill(7);
    const positions = Array.from({ length: 100 }, () => append(part));
    const kept = positions.filter((position) => position >= 0);
    expect(kept.length).toBeGreaterThan(30);
    expect(kept.length).toBeLessThan(45);
    expect(spool.pending).toBeLessThanOrEqual(2 * 1024 * 1024);
    await vi.waitFor(() => expect(spool.error).toBe('the disk is full: /fake takes no more bytes'));
    expect(spool.status().lost).toBe((100 - kept.length) * part.length);
    for (const position of kept) expect(await holds(spool, position, part)).toBe(true);

    files.failure = null;
    await vi.waitFor(() => expect(spool.error).toBeNull());
    const after = append(part);
    expect(after).toBeGreaterThan(kept.at(-1)!);
    await spool.flush();
    for (const position of [...kept, after]) expect(await holds(spool, position, part)).toBe(true);
    expect(spool.pending).toBeLessThanOrEqual(1024 * 1024);
  });

  it('bounds what waits for a slow disk, says so, and goes on', async () => {
    const { spool, files } = make({ pendingLimit: 2 * 1024 * 1024 });
    let release = () => undefined as unknown;
    files.stall = new Promise<void>((resolve) => (release = resolve));
    const append = writer(spool);
    for (let i = 0; i < 1_000; i += 1) append(new Uint8Array(50_000));
    expect(spool.pending).toBe(2 * 1024 * 1024);
    expect(spool.error).toBe('the disk is too slow: 2 MiB wait to be written to /fake');
    expect(spool.status().lost).toBeGreaterThan(900 * 50_000);
    release();
    files.stall = null;
    await vi.waitFor(() => expect(spool.error).toBeNull());
    expect(append(new Uint8Array(10))).toBeGreaterThan(0);
  });

  it('gives the oldest segment up first and stays within its size', async () => {
    const maxBytes = 16 * MIN_SEGMENT;
    const { spool, files } = make({ maxBytes });
    const gone: [number, number][] = [];
    spool.makeRoom = async (from, to) => void gone.push([from, to]);
    const append = writer(spool);
    const positions: number[] = [];
    for (let i = 0; i < 400; i += 1) {
      positions.push(append(new Uint8Array(50_000).fill(i)));
      if (i % 10 === 0) await spool.flush();
      expect(spool.status().bytes).toBeLessThanOrEqual(maxBytes + MIN_SEGMENT);
    }
    await spool.flush();
    expect(gone.length).toBeGreaterThan(50);
    expect(gone).toEqual(gone.map((_, i) => [i * MIN_SEGMENT, (i + 1) * MIN_SEGMENT]));
    expect([...files.files.values()].reduce((sum, file) => sum + file.length, 0)).toBeLessThanOrEqual(maxBytes);
    expect(files.handles).toBeLessThanOrEqual(17);
    for (const [i, position] of positions.entries()) {
      const bytes = await read(spool, position, 50_000);
      expect(bytes === null).toBe(position < gone.at(-1)![1]);
      if (bytes !== null) expect(bytes.every((byte) => byte === i % 256)).toBe(true);
    }
  });

  it('keeps what it has to itself, and removes it', async () => {
    const files = temporaryFiles();
    const spool = new Spool({ files });
    const append = writer(spool);
    append(new Uint8Array(100));
    await spool.flush();
    expect(statSync(files.folder).mode & 0o777).toBe(0o700);
    const [name] = readdirSync(files.folder);
    expect(statSync(join(files.folder, name!)).mode & 0o777).toBe(0o600);
    await spool.close();
    expect(existsSync(files.folder)).toBe(false);
  });

  it('removes what a process of ours left behind, and nothing else', () => {
    const parent = mkdtempSync(join(tmpdir(), 'spool-test-'));
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    const first = temporaryFiles(parent);
    const here = /-([0-9a-f]{8})-[^-]+$/.exec(first.folder)![1]!;
    const elsewhere = here === '0123abcd' ? '0123abce' : '0123abcd';
    const yesterday = new Date(Date.now() - 25 * 60 * 60 * 1_000);
    const folder = (name: string, changed = new Date(), fileChanged = changed) => {
      const path = join(parent, name);
      mkdirSync(path);
      writeFileSync(join(path, 'segment-000001.pcapng'), '');
      utimesSync(join(path, 'segment-000001.pcapng'), fileChanged, fileChanged);
      utimesSync(path, changed, changed);
      return path;
    };
    const left = [
      folder(`fcgi-inspect-${dead}-${here}-AbCd12`),
      // A container that shares our directory: nobody here knows its processes.
      folder(`fcgi-inspect-${process.pid}-${elsewhere}-AbCd12`, yesterday),
    ];
    const used = [
      first.folder,
      folder(`fcgi-inspect-${process.pid}-${here}-AbCd12`, yesterday),
      folder(`other-${dead}-${here}-AbCd12`),
      folder(`fcgi-inspect-${dead}-${elsewhere}-AbCd12`),
      folder(`fcgi-inspect-${dead}-${elsewhere}-AbCd34`, yesterday, new Date()),
    ];
    const files = temporaryFiles(parent);
    expect(left.filter((path) => existsSync(path))).toEqual([]);
    expect(used.filter((path) => !existsSync(path))).toEqual([]);
    expect(existsSync(files.folder)).toBe(true);
    rmSync(parent, { recursive: true });
  });

  it('is removed when the process ends by itself, also by process.exit', () => {
    const script = (end: string) =>
      `import { temporaryFiles } from ${JSON.stringify(join(process.cwd(), 'src/session/spool-files.ts'))};
       console.log(temporaryFiles().folder); ${end}`;
    for (const end of ['', 'process.exit(3)', 'throw new Error("ours")']) {
      const run = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script(end)], {
        encoding: 'utf8',
      });
      const folder = run.stdout.trim();
      expect(folder).toContain('fcgi-inspect-');
      expect(existsSync(folder)).toBe(false);
    }
  });
});

requireServers('tshark')('a segment, as tshark reads it', () => {
  const cases: [string, Endpoint, Endpoint, number, string][] = [
    ['IPv4', tcp(40_000), tcp(9_123), 9_123, '127.0.0.1'],
    ['IPv6', tcp(40_000, '::1'), tcp(9_123, '2001:db8::5'), 9_123, '2001:db8::5'],
    ['mixed', tcp(40_000, '10.1.2.3'), tcp(9_123, 'fe80::1%lo'), 9_123, 'fe80::1'],
    ['Unix', { kind: 'unix', path: '' }, { kind: 'unix', path: '/run/php.sock' }, 9_000, '127.0.0.1'],
  ];
  it.each(cases)('holds the records of a conversation over %s', async (_, client, server, port, address) => {
    const files = temporaryFiles();
    const spool = new Spool({ files, description: 'test' });
    closing.push(spool);
    const channel = spool.channel(1, client, server);
    const sent = request({ stdin: new Uint8Array(200_000).fill(65) });
    const answered = answer({ stdout: `Status: 200\r\n\r\n${'x'.repeat(100_000)}`, stderr: 'oh' });
    let passed = 0;
    for (let at = 0; at < sent.length; at += 50_000) {
      const part = sent.subarray(at, at + 50_000);
      channel.append('client', passed, 0, part, AT, -1);
      passed += part.length;
    }
    for (let at = 0; at < answered.length; at += 60_000) {
      channel.append('server', at, passed, answered.subarray(at, at + 60_000), AT + 1_000, -1);
    }
    await spool.flush();
    const file = join(files.folder, readdirSync(files.folder)[0]!);
    const run = (...args: string[]) => {
      const { stdout, stderr, status } = spawnSync(
        commandOf('tshark'),
        ['-r', file, '-d', `tcp.port==${port},fcgi`, '-o', 'tcp.check_checksum:FALSE', ...args],
        { encoding: 'utf8' },
      );
      expect(stderr.replace(/Running as user.*\n/, '')).toBe('');
      expect(status).toBe(0);
      return stdout.trim();
    };
    const types = run('-T', 'fields', '-e', 'fcgi.type', '-Y', 'fcgi').split(/[\n,]/);
    const stdin = Math.ceil(200_000 / 32_768);
    const stdout = Math.ceil(100_015 / 8_192);
    const count = (type: number) => types.filter((each) => Number(each) === type).length;
    expect([1, 4, 5, 6, 7, 3].map(count)).toEqual([1, 2, stdin + 1, stdout + 1, 2, 1]);
    // No lost, repeated or overlapping segments.
    expect(
      run('-Y', 'tcp.analysis.flags || ip.checksum.status == 0 || _ws.malformed', '-o', 'ip.check_checksum:TRUE'),
    ).toBe('');
    const field = address.includes(':') ? 'ipv6.dst' : 'ip.dst';
    expect(run('-T', 'fields', '-e', field, '-Y', `tcp.dstport == ${port}`).split('\n')[0]).toBe(address);
    expect(run('-T', 'fields', '-e', 'frame.time_epoch', '-c', '1')).toBe('1789000000.123456000');
  });
});
