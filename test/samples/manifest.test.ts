import { readdirSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findCommand } from '../support/real/requirements.js';
import { SAMPLES } from './derive/derivation.js';
import { DERIVATIONS } from './derive/derivations.js';
import { inspected } from './inspected.js';
import { listedSamples, readManifest, readme } from './listing.js';

const FOLDER_LIMIT = 2 * 1024 * 1024;

describe('samples/', () => {
  const manifest = readManifest();

  it('has the files of the manifest and no others', () => {
    const listed = manifest.flatMap(({ file, and = [] }) => [file, ...and]);
    expect(readdirSync(SAMPLES).sort()).toEqual([...listed, 'README.md', 'manifest.json'].sort());
  });

  it('is small enough for a repository', () => {
    expect(readdirSync(SAMPLES).reduce((sum, name) => sum + statSync(SAMPLES + name).size, 0)).toBeLessThan(
      FOLDER_LIMIT,
    );
  });

  it('is described as the stories are written', () => {
    expect(manifest).toEqual(listedSamples(new Map()));
    expect(readFileSync(`${SAMPLES}README.md`, 'utf8')).toBe(readme(manifest));
  });

  for (const { file, and = [], derive, tools = [] } of DERIVATIONS) {
    const absent = tools.filter((tool) => findCommand(tool) === null);
    it.skipIf(absent.length > 0)(`${file} can be made again`, () => {
      const made = derive();
      const contents = made instanceof Uint8Array ? [made] : made;
      [file, ...and].forEach((name, index) => {
        expect(Buffer.compare(readFileSync(SAMPLES + name), contents[index]!), name).toBe(0);
      });
    });
  }

  describe.each(manifest)('$file', ({ file, and = [], ports, byPort, connections, requests, outcomes }) => {
    it('gives the requests that its row promises', async () => {
      const seen = await inspected(
        [file, ...and].map((name) => SAMPLES + name),
        byPort ? ports : null,
      );
      const counts: Record<string, number> = {};
      for (const { outcome } of seen.exchanges) counts[outcome ?? 'open'] = (counts[outcome ?? 'open'] ?? 0) + 1;
      expect(counts).toEqual(outcomes);
      expect(seen.exchanges.length).toBe(requests);
      expect(seen.conversations.length).toBe(connections);
    });
  });
});
