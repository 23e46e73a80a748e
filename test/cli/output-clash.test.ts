import { linkSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refuseClashes } from '../../src/cli/output-file.js';

let folder: string;
const at = (name: string): string => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'clash-'));
  writeFileSync(at('in.pcap'), 'capture');
  writeFileSync(at('other.har'), '{}');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('what is written', () => {
  it('is nothing that is read, under whatever name', () => {
    symlinkSync(at('in.pcap'), at('symbolic'));
    linkSync(at('in.pcap'), at('hard'));
    for (const name of ['in.pcap', 'symbolic', 'hard'])
      expect(() => refuseClashes([at(name)], [at('in.pcap')])).toThrow(`it is what is read as ${at('in.pcap')}`);
  });

  it('is no file twice', () => {
    symlinkSync(at('other.har'), at('symbolic'));
    expect(() => refuseClashes([at('other.har'), at('symbolic')], [])).toThrow('another option writes');
  });

  it('may be there already, not be there yet, or be a device', () => {
    expect(() =>
      refuseClashes([at('other.har'), at('new.ndjson'), '/dev/null', '/dev/null'], [at('in.pcap'), '-', at('missing')]),
    ).not.toThrow();
  });
});
