import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PROGRAM } from '../support/program.js';
import { SAMPLES } from './derive/derivation.js';
import { readManifest } from './listing.js';

/**
 * What the built program says of each sample, to the byte: `UPDATE_GOLDEN=1 npx vitest run test/samples` writes it anew, and the
 * difference is then there to be read. Nothing is normalised: the times in a capture do not change.
 */

const GOLDEN = fileURLToPath(new URL('../golden/samples/', import.meta.url));
const SCHEMA = fileURLToPath(new URL('../../docs/ndjson.schema.json', import.meta.url));
const isNdjson = new Ajv({ allowUnionTypes: true }).compile(JSON.parse(readFileSync(SCHEMA, 'utf8')) as object);
const UPDATE = process.env.UPDATE_GOLDEN === '1';
const OUTPUT_LIMIT = 16 * 1024 * 1024;

/** The samples of which HAR has something of its own to say. */
const HAR = [
  'stderr-interleaved.pcap',
  'nginx-streamed-response.pcap',
  'backend-killed.pcap',
  'filter.pcap',
  'haproxy-multiplexed.pcap',
  'lighttpd-authorizer.pcap',
  'client-gone.pcap',
];
/** Those of which the timeline is worth a look. */
const DETAIL = [
  'stderr-interleaved.pcap',
  'backend-killed.pcap',
  'haproxy-multiplexed.pcap',
  'lost-body.pcap',
  'lost-header.pcap',
  'mid-record.pcap',
  'snap-length-96.pcap',
];
/** Those of which the report has something to say, and one that is well. */
const REPORT = [
  'nginx-php-fpm.pcap',
  'backend-killed.pcap',
  'backend-refused.pcap',
  'worker-timeout.pcap',
  'read-timeout.pcap',
  'client-gone.pcap',
  'wrong-protocol.pcap',
  'stderr-interleaved.pcap',
  'mid-record.pcap',
  'haproxy-keep-conn.pcap',
];

describe.each(readManifest())('$file', ({ file, and = [], ports, byPort }) => {
  const input = [file, ...and, ...(byPort ? ['--port', ports.join(',')] : [])];

  it('as lines, NDJSON and what is said beside', () => {
    const folder = mkdtempSync(join(tmpdir(), 'golden-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [ndjson, har] = [join(folder, 'ndjson'), join(folder, 'har')];
    const outputs = ['--ndjson', ndjson, '--bodies', 'sha256', ...(HAR.includes(file) ? ['--har', har] : [])];
    const { stdout, stderr, status } = run([...input, '--format', 'lines', ...outputs]);
    expect(status).toBe(0);
    compare(`${file}.lines`, stdout);
    compare(`${file}.stderr`, stderr);
    const lines = readFileSync(ndjson, 'utf8');
    compare(`${file}.ndjson`, lines);
    expect(lines.split('\n').filter((line) => line !== '' && !isNdjson(JSON.parse(line)))).toEqual([]);
    if (HAR.includes(file)) compare(`${file}.har`, readFileSync(har, 'utf8'));
  });

  if (DETAIL.includes(file)) {
    it('as a timeline', () => {
      compare(`${file}.detail`, run([...input, '--format', 'detail']).stdout);
    });
  }

  if (REPORT.includes(file)) {
    it('as a report', () => {
      compare(`${file}.report`, run([...input, '--format', 'report']).stdout);
    });
  }
});

/** In the samples' folder, so that the outputs name files as they are named there. */
function run(args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [PROGRAM, ...args], {
    cwd: SAMPLES,
    encoding: 'utf8',
    maxBuffer: OUTPUT_LIMIT,
    env: { PATH: process.env.PATH, TZ: 'UTC' },
  });
}

/** An output in which nothing is said has no file. */
function compare(name: string, actual: string): void {
  const path = GOLDEN + name;
  if (UPDATE) {
    mkdirSync(GOLDEN, { recursive: true });
    if (actual === '') rmSync(path, { force: true });
    else writeFileSync(path, actual);
  }
  expect(actual).toBe(existsSync(path) ? readFileSync(path, 'utf8') : '');
}
