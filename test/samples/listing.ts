import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DERIVATIONS } from './derive/derivations.js';
import { RECORDINGS } from './record/stories.js';
import type { ListedSample } from './sample.js';

/** samples/manifest.json, which the tests read, and samples/README.md, which is made from the same. */

const FOLDER = fileURLToPath(new URL('../../samples/', import.meta.url));
const MANIFEST = `${FOLDER}manifest.json`;

export function readManifest(): readonly ListedSample[] {
  return existsSync(MANIFEST) ? (JSON.parse(readFileSync(MANIFEST, 'utf8')) as ListedSample[]) : [];
}

/** @param recorded the samples that were recorded just now, with the versions of the servers; of the others, what the manifest says stays */
export function listedSamples(recorded: ReadonlyMap<string, string>): ListedSample[] {
  const known = new Map(readManifest().map(({ file, origin }) => [file, origin]));
  return [
    ...RECORDINGS.map((sample) => ({
      sample,
      origin: recorded.get(sample.file) ?? known.get(sample.file) ?? 'not recorded yet',
    })),
    ...DERIVATIONS.map((sample) => ({ sample, origin: `${sample.from.join(', ')}: ${sample.how}` })),
  ].map(({ sample: { file, and, shows, look, ports, byPort, connections, requests, outcomes }, origin }) => {
    return {
      file,
      ...(and ? { and } : {}),
      shows,
      origin,
      look,
      ports,
      ...(byPort ? { byPort } : {}),
      connections,
      requests,
      outcomes,
    };
  });
}

export function writeListing(recorded: ReadonlyMap<string, string>): void {
  const listed = listedSamples(recorded);
  writeFileSync(MANIFEST, `${JSON.stringify(listed, null, 2)}\n`);
  writeFileSync(`${FOLDER}README.md`, readme(listed));
}

export function readme(samples: readonly ListedSample[]): string {
  const derived = new Set(DERIVATIONS.map(({ file }) => file));
  const table = (title: string, origin: string, rows: readonly ListedSample[]) =>
    `## ${title}

| file | what it shows | ${origin} | what to look at | requests |
| --- | --- | --- | --- | --- |
${rows.map(row).join('\n')}
`;
  return `# Sample captures

Conversations of real web servers and real backends, a story each. \`fcgi-inspect samples/NAME\` reads any of them; Wireshark needs
\`-d tcp.port==9000,fcgi\` (9001 for the authorizers, 9002 for fcgiwrap).

This file and \`manifest.json\` are written by the commands that make the samples:

\`\`\`
npx tsx test/samples/record/record.ts [NAME…]   # as root, on Debian; all of them unless named
npx tsx test/samples/derive/derive.ts           # makes the derived ones, in the same way each time
UPDATE_GOLDEN=1 npx vitest run test/samples     # the expected outputs in test/golden/samples
\`\`\`

To record, install \`nginx lighttpd apache2 libapache2-mod-fcgid caddy haproxy php-fpm php-cgi fcgiwrap libfcgi-bin libfcgi-perl tcpdump\`.
The servers run in namespaces of their own: on a loopback interface that nobody else uses, with the site in \`/srv/www\`, and without the
machine's environment. To derive, install \`tshark\`, which brings mergecap and editcap.

${table(
  'Recorded',
  'recorded with',
  samples.filter(({ file }) => !derived.has(file)),
)}
${table(
  'Derived',
  'made from',
  samples.filter(({ file }) => derived.has(file)),
)}`;
}

function row({ file, and = [], shows, origin, look, ports, byPort, requests, outcomes }: ListedSample): string {
  const counts = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  const files =
    [file, ...and].map((name) => `\`${name}\``).join(' + ') + (byPort ? ` (with \`--port ${ports.join(',')}\`)` : '');
  return `| ${files} | ${shows} | ${origin} | ${look} | ${requests === 0 ? 'none' : counts.join(', ')} |`;
}
