import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { OpenedBytes } from '../../src/capture/capture-bytes.js';
import { CaptureInput } from '../../src/capture/capture-input.js';
import { packet, pcap } from '../packet/formats/written-captures.js';

/** A disk that fails in the middle of a file: reads go well up to `failing`. */
const disk = vi.hoisted(() => ({
  bytes: new Uint8Array(0) as Uint8Array,
  failing: Number.POSITIVE_INFINITY,
  on: false,
}));
vi.mock('../../src/capture/capture-bytes.js', async (original) => {
  const real = await original<typeof import('../../src/capture/capture-bytes.js')>();
  const openBytes = async (path: string): Promise<OpenedBytes> => {
    if (!disk.on) return real.openBytes(path);
    let bytesRead = 0;
    const bytes = {
      get bytesRead() {
        return bytesRead;
      },
      async read(into: Uint8Array, from: number, to: number) {
        if (bytesRead >= disk.failing) throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
        const part = disk.bytes.subarray(bytesRead, Math.min(bytesRead + to - from, disk.failing));
        into.set(part, from);
        bytesRead += part.length;
        return part.length;
      },
      async close() {},
    };
    return { bytes, size: disk.bytes.length, readAt: null, again: null };
  };
  return { ...real, openBytes };
});

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fcgi-inspect-unreadable-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

it('a file that becomes unreadable gives what came before, one warning for that, and the end', async () => {
  disk.bytes = pcap(Array.from({ length: 100 }, (_, i) => packet(i)));
  disk.failing = 24 + 30 * 76;
  disk.on = true;
  const warnings: string[] = [];
  const input = await CaptureInput.open('failing.pcap', { warn: (line) => warnings.push(line) }, { chunkLength: 1000 });
  while (await input.next(() => {}));
  expect(input.packets).toBe(30);
  expect(warnings).toEqual([`failing.pcap: reading failed: i/o error (EIO) (byte ${disk.failing})`]);
  expect(await input.next(() => {})).toBe(false);
  await input.close();

  disk.failing = 0;
  await expect(CaptureInput.open('failing.pcap', { warn: () => {} })).rejects.toMatchObject({
    code: 'io',
    message: 'failing.pcap cannot be read: i/o error (EIO)',
  });
  disk.on = false;
});

it('a file without permission is said to be that', async () => {
  const path = join(folder, 'secret.pcap');
  writeFileSync(path, pcap([packet(0)]));
  chmodSync(path, 0);
  chmodSync(folder, 0o755);
  const { geteuid, seteuid } = process;
  const user = geteuid!();
  // Root may read everything.
  if (user === 0) seteuid!(65_534);
  try {
    await expect(CaptureInput.open(path, { warn: () => {} })).rejects.toMatchObject({
      code: 'permission',
      message: `no permission to read ${path}`,
    });
  } finally {
    seteuid!(user);
  }
});
