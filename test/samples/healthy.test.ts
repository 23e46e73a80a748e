import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/model/exchange.js';
import { SAMPLES } from './derive/derivation.js';
import { inspected } from './inspected.js';
import { readManifest } from './listing.js';
import type { Sample } from './sample.js';

/**
 * Nothing is said to be wrong where nothing is: the samples whose story, as the manifest tells it, is no failure. A capture that is cut,
 * damaged or begun too late is no failure of what was captured.
 */

const FAILED: readonly Outcome[] = [
  'rejected',
  'aborted',
  'backend-closed',
  'backend-reset',
  'web-server-closed',
  'web-server-reset',
  'not-connected',
];

/** What goes wrong in a story though the connection does not show it, by the words in which the manifest tells of it. */
const TOLD: readonly (readonly [words: RegExp, id: string])[] = [
  [/a script that does not exist \("Primary script unknown"/, 'primary-script-unknown'],
  [/a fatal error/, 'php-fatal'],
  [/"No input file specified\."/, 'no-input-file-specified'],
  [/PHP-FPM never answers/, 'content-length-missing'],
  [/three other protocols at PHP-FPM/, 'peer-speaks-not-fastcgi'],
];

/** Made of the same requests as another one, of which the manifest tells more. */
const STORIES: Readonly<Record<string, string>> = {
  'nginx-keep-conn.pcap': 'nginx-php-fpm.pcap',
  'apache-proxy-fcgi.pcap': 'nginx-php-fpm.pcap',
  'apache-proxy-fcgi-reuse.pcap': 'nginx-php-fpm.pcap',
  'mid-stream.pcap': 'nginx-php-fpm.pcap',
  'keep-alive.pcap': 'nginx-php-fpm.pcap',
};

const manifest = readManifest();
const hasNotFailed = ({ outcomes }: Sample): boolean => FAILED.every((outcome) => outcomes[outcome] === undefined);

function failuresOf({ file, shows, look }: Sample): string[] {
  const told = manifest.find((other) => other.file === STORIES[file]);
  const text = [shows, look, told?.look].join('\n');
  return TOLD.filter(([words]) => words.test(text)).map(([, id]) => id);
}

describe('samples in which nothing fails', () => {
  it('are most of them', () => {
    const healthy = manifest.filter((sample) => hasNotFailed(sample) && failuresOf(sample).length === 0);
    expect(healthy.length).toBeGreaterThan(manifest.length / 2);
  });

  it.each(manifest.filter(hasNotFailed))('$file has only the errors that its story tells', async (sample) => {
    const { file, and = [], ports, byPort } = sample;
    const { exchanges } = await inspected(
      [file, ...and].map((name) => SAMPLES + name),
      byPort ? ports : null,
    );
    const findings = exchanges.flatMap((exchange) => exchange.findings);
    const ids = findings.filter(({ severity }) => severity !== 'note').map(({ id }) => id);
    expect([...new Set(ids)]).toEqual(failuresOf(sample));
  });
});
