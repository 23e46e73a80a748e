import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { open, truncate, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileSource } from '../../src/capture/file-source.js';
import type { ConnectionEvent } from '../../src/model/connection-event.js';
import { protocols } from '../../src/protocol/index.js';
import { answer, request } from '../support/fake-source.js';
import { WrittenCapture } from '../support/written-capture.js';

let folder: string;
const opened: FileSource[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fcgi-inspect-test-'));
});
afterEach(async () => {
  for (const source of opened.splice(0)) await source.close();
  rmSync(folder, { recursive: true, force: true });
});

function written(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

interface Reading {
  readonly source: FileSource;
  readonly events: ConnectionEvent[];
  readonly warnings: string[];
}

async function reading(paths: readonly string[], ports: readonly number[] | null = null): Promise<Reading> {
  const events: ConnectionEvent[] = [];
  const warnings: string[] = [];
  const source = await FileSource.open({
    paths,
    ports,
    recognise: protocols.fastcgi.recognise,
    warn: (text) => warnings.push(text),
  });
  opened.push(source);
  await source.start((event) => {
    events.push(event.kind === 'bytes' ? { ...event, bytes: event.bytes.slice() } : event);
  });
  return { source, events, warnings };
}

async function read(paths: readonly string[], ports: readonly number[] | null = null): Promise<Reading> {
  const all = await reading(paths, ports);
  while (await all.source.advance());
  return all;
}

/** The bytes events of a source are where it says that they are; how many of them have such a place. */
async function placesOf({ source, events }: Reading): Promise<number> {
  let placed = 0;
  for (const event of events) {
    if (event.kind !== 'bytes' || event.origin < 0) continue;
    const again = new Uint8Array(event.bytes.length);
    expect(await source.readAt(event.origin, again)).toBe(again.length);
    expect(Buffer.compare(again, event.bytes)).toBe(0);
    placed += 1;
  }
  return placed;
}

const kinds = (events: readonly ConnectionEvent[]): string[] => events.map((event) => event.kind);
const LARGE = { stdout: `Content-Type: text/plain\r\n\r\n${'x'.repeat(100_000)}` };

describe('FileSource', () => {
  it('says what is in a capture, with the place of every byte in it, and how far it is', async () => {
    const capture = new WrittenCapture().roundTrip(LARGE);
    const file = capture.file();
    const path = written('a.pcap', file);
    const before = Date.now() * 1_000;
    const all = await reading([path]);
    const { source, events, warnings } = all;
    expect(source.description).toEqual([`${path} (pcap)`]);
    expect(source.isSeekable).toBe(true);
    expect(source.now).toBeGreaterThanOrEqual(before - 1_000);
    expect(source.progress.size).toBe(file.length);
    while (await source.advance());
    expect(source.progress).toEqual({ read: file.length, size: file.length });
    expect(source.now).toBe(capture.time);
    expect(warnings).toEqual([]);
    expect(new Set(kinds(events))).toEqual(new Set(['open', 'bytes', 'end', 'closed']));
    expect(kinds(events).at(-1)).toBe('closed');
    const payload = Buffer.concat([request({ keep: false }), answer(LARGE)]);
    expect(
      Buffer.compare(Buffer.concat(events.flatMap((event) => (event.kind === 'bytes' ? [event.bytes] : []))), payload),
    ).toBe(0);
    expect(await placesOf(all)).toBe(kinds(events).filter((kind) => kind === 'bytes').length);
    expect(await source.advance()).toBe(false);
  });

  it('merges several by time; the places are in the right one, also of a connection that lies in two', async () => {
    const first = new WrittenCapture();
    const asked = first.connect();
    asked.send('client', request({ keep: false }));
    const whole = new WrittenCapture(first.time);
    asked.send('server', answer(LARGE)).end('server').end('client');
    whole.packets.push(...first.packets.splice(8));
    const other = new WrittenCapture(first.time + 10).roundTrip({ path: '/other.php', port: 9_001 });
    const paths = [
      written('later.pcap', whole.file()),
      written('first.pcap', first.file()),
      written('other.pcap', other.file()),
    ];
    const all = await read(paths);
    expect(all.warnings).toEqual([]);
    expect(all.events.filter((event) => event.kind === 'open')).toHaveLength(2);
    const times = all.events.map((event) => event.at);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(await placesOf(all)).toBe(kinds(all.events).filter((kind) => kind === 'bytes').length);
    const files = all.events.flatMap((event) => (event.kind === 'bytes' ? [Math.floor(event.origin / 2 ** 44)] : []));
    expect(new Set(files)).toEqual(new Set([0, 1, 2]));
  });

  it('has places for IP fragments, too', async () => {
    const capture = new WrittenCapture();
    const connection = capture.connect();
    connection.send('client', request({ keep: false }));
    connection.sendInFragments('server', answer({ stdout: `X: 1\r\n\r\n${'f'.repeat(5_000)}` }), 1_480);
    connection.end('server').end('client');
    const all = await read([written('a.pcap', capture.file())]);
    const sent = answer({ stdout: `X: 1\r\n\r\n${'f'.repeat(5_000)}` }).length;
    const came = all.events.reduce(
      (sum, event) => sum + (event.kind === 'bytes' && event.side === 'server' ? event.bytes.length : 0),
      0,
    );
    expect(came).toBe(sent);
    expect(await placesOf(all)).toBe(kinds(all.events).filter((kind) => kind === 'bytes').length);
  });

  it('has no places in what gzip packed', async () => {
    const path = written('a.pcap.gz', gzipSync(new WrittenCapture().roundTrip().file()));
    const all = await read([path]);
    expect(all.source.description).toEqual([`${path} (pcap, gzip)`]);
    expect(all.source.isSeekable).toBe(false);
    expect(kinds(all.events)).toContain('bytes');
    expect(await placesOf(all)).toBe(0);
    expect(all.source.progress.read).toBe(all.source.progress.size);
    const mixed = await reading([path, written('b.pcap', new WrittenCapture().roundTrip().file())]);
    expect(mixed.source.isSeekable).toBe(false);
  });

  it('stops in the middle: what is open ends with the capture, and its bytes can still be read', async () => {
    const capture = new WrittenCapture();
    const connection = capture.connect().send('client', request());
    for (let i = 0; i < 3_000; i += 1)
      connection.send('server', answer({ stdout: `X: 1\r\n\r\n${'x'.repeat(1_000)}` }));
    const all = await reading([written('a.pcap', capture.file())]);
    const { source, events } = all;
    expect(await source.advance()).toBe(true);
    await source.stop();
    expect(events.slice(-2)).toMatchObject([{ kind: 'end', how: 'capture-end' }, { kind: 'closed' }]);
    const { length } = events;
    expect(await source.advance()).toBe(false);
    await source.stop();
    expect(events).toHaveLength(length);
    expect(source.progress.read).toBeLessThan(source.progress.size!);
    expect(await placesOf(all)).toBeGreaterThan(0);
    await source.close();
    expect(await source.readAt(0, new Uint8Array(1))).toBe(0);
  });

  it('can be stopped while a step is under way, and before the first', async () => {
    const path = written('a.pcap', new WrittenCapture().roundTrip(LARGE).file());
    const one = await reading([path]);
    const step = one.source.advance();
    await one.source.stop();
    await step;
    expect(await one.source.advance()).toBe(false);
    const other = await reading([path]);
    await other.source.stop();
    expect(other.events).toEqual([]);
    expect(await other.source.advance()).toBe(false);
  });

  it('reads on when its file is removed, and says so when it becomes shorter', async () => {
    const capture = new WrittenCapture();
    for (let n = 1; n <= 40; n += 1) capture.roundTrip(LARGE);
    const file = capture.file();
    const removed = written('removed.pcap', file);
    const one = await reading([removed]);
    await one.source.advance();
    await unlink(removed);
    while (await one.source.advance());
    expect(one.events.filter((event) => event.kind === 'closed')).toHaveLength(40);
    expect(one.warnings).toEqual([]);
    await placesOf(one);

    const shorter = written('shorter.pcap', file);
    const other = await reading([shorter]);
    await other.source.advance();
    await truncate(shorter, 2_000_000);
    while (await other.source.advance());
    expect(other.warnings.filter((text) => text.includes('became shorter'))).toHaveLength(1);
    expect(other.events.at(-1)).toMatchObject({ kind: 'closed' });
  });

  it('survives a file that is overwritten while it is read', async () => {
    const capture = new WrittenCapture();
    for (let n = 1; n <= 40; n += 1) capture.roundTrip(LARGE);
    const path = written('a.pcap', capture.file());
    const { source, events } = await reading([path]);
    await source.advance();
    const file = await open(path, 'r+');
    await file.write(Buffer.alloc(capture.file().length, 0x5a), 0, undefined, 0);
    await file.close();
    while (await source.advance());
    expect(events.filter((event) => event.kind === 'open').length).toBe(
      events.filter((event) => event.kind === 'closed').length,
    );
  });
});

describe('what a person is told of a capture', () => {
  const remarks = async (make: (capture: WrittenCapture) => void, ports: readonly number[] | null = null) => {
    const capture = new WrittenCapture();
    make(capture);
    return (await read([written('a.pcap', capture.file())], ports)).warnings;
  };
  const text = (words: string) => new TextEncoder().encode(words);

  it('nothing, of one that is whole', async () => {
    expect(await remarks((capture) => capture.roundTrip())).toEqual([]);
  });

  it('that there is no FastCGI, and what there is', async () => {
    const http = (capture: WrittenCapture) =>
      capture
        .connect({ port: 80 })
        .send('client', text('GET / HTTP/1.1\r\nHost: example.test\r\n\r\n'))
        .send('server', text('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))
        .end('client')
        .end('server');
    expect(await remarks(http)).toEqual([
      'no FastCGI was found in 7 packets; other connections: 1 HTTP; --port 9000 shows the connections of a port whatever they say',
    ]);
    expect(await remarks(http, [9_000, 9_001])).toEqual([
      'no connection on port 9000, 9001 in 7 packets (7 segments on other ports); without --port FastCGI is found by content',
    ]);
    expect(await remarks(() => {})).toEqual([
      'no FastCGI was found in 0 packets; --port 9000 shows the connections of a port whatever they say',
    ]);
    expect(await remarks(http, [80])).toEqual([]);
  });

  it('that bytes are missing, and how many', async () => {
    const lossy = (capture: WrittenCapture) =>
      capture
        .connect()
        .send('client', request({ stdin: new Uint8Array(3_000) }))
        .lose('client', 2_000)
        .send('client', new Uint8Array(5_000))
        .end('client');
    expect(await remarks(lossy)).toEqual([
      '2.00kB of these connections are not in the capture: they are shown as gaps',
    ]);
  });

  it('that packets were cut', async () => {
    const cut = (count: number) => (capture: WrittenCapture) => {
      const connection = capture.connect().send('client', request());
      for (let i = 0; i < count; i += 1) connection.sendCut('server', answer(), 60);
    };
    expect((await remarks(cut(2)))[1]).toBe('2 packets were cut by the snap length: tcpdump -s 0 captures them whole');
    expect((await remarks(cut(1)))[1]).toBe('1 packet was cut by the snap length: tcpdump -s 0 captures it whole');
  });

  it('that packets cannot be read, or lack fragments', async () => {
    const broken = (capture: WrittenCapture) => {
      capture.roundTrip();
      capture.packet(Uint8Array.from({ length: 34 }, (_, i) => (i === 12 ? 0x08 : i === 14 ? 0x41 : 0)));
    };
    expect(await remarks(broken)).toEqual(['1 packet could not be read: its headers are broken']);
    const lacking = (capture: WrittenCapture) => {
      const connection = capture.roundTrip().connect();
      connection.sendInFragments('client', request(), 104);
      capture.packets.pop();
    };
    expect((await remarks(lacking)).at(-1)).toBe('1 IP packet lacks fragments');
  });
});

describe('what cannot be opened', () => {
  it.each([
    ['missing.pcap', null, 'not-found', 'does not exist'],
    ['.', null, 'unsupported', 'is a directory'],
    ['empty.pcap', '', 'unsupported', 'is empty'],
    ['a.txt', 'not a capture\n', 'unsupported', 'it looks like a text'],
  ])('%s', async (name, content, code, words) => {
    const path = content === null ? join(folder, name) : written(name, Buffer.from(content));
    await expect(reading([path])).rejects.toMatchObject({
      name: 'FcgiInspectError',
      code,
      message: expect.stringContaining(words),
    });
  });

  it('one of several: none stays open', async () => {
    const good = written('a.pcap', new WrittenCapture().roundTrip().file());
    await expect(reading([good, join(folder, 'missing.pcap')])).rejects.toMatchObject({ code: 'not-found' });
    const descriptors = readdirSync('/proc/self/fd').map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return '';
      }
    });
    expect(descriptors).not.toContain(good);
  });
});

it('tells a comment on a packet with the connection that the packet was of, and any other as it is', async () => {
  const sample = join(import.meta.dirname, '../../samples/two-interfaces.pcapng');
  const { events, warnings } = await read([sample]);
  const notes = events.flatMap((event) => (event.kind === 'note' ? [`${event.connection}: ${event.text}`] : []));
  expect(notes).toEqual(['1: comment on packet 4: the first request']);
  expect(warnings).toEqual([`${sample}: comment on packet 30: somewhere in the middle`]);
});

it('says what there was instead of TCP when nothing was found', async () => {
  const capture = new WrittenCapture();
  // Ethernet, then an IPv4 header with protocol 47.
  const frame = new Uint8Array(60);
  frame.set([0x08, 0x00, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 47], 12);
  for (let i = 0; i < 3; i += 1) capture.packet(frame);
  const { warnings } = await read([written('gre.pcap', capture.file())]);
  expect(warnings.join()).toContain('no FastCGI was found in 3 packets; not read: 3 of GRE;');
});

it('reads more files than a signal may have listeners without a word', async () => {
  const warned: Error[] = [];
  const listen = (warning: Error) => warned.push(warning);
  process.on('warning', listen);
  const paths = Array.from({ length: 14 }, (_, i) => written(`${i}.pcap`, new WrittenCapture().roundTrip().file()));
  const { events } = await read(paths);
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', listen);
  expect(events.filter(({ kind }) => kind === 'open').length).toBeGreaterThan(0);
  expect(warned).toEqual([]);
});
