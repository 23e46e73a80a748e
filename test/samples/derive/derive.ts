import { writeFileSync } from 'node:fs';
import { writeListing } from '../listing.js';
import { SAMPLES } from './derivation.js';
import { DERIVATIONS } from './derivations.js';

/** Makes the derived samples from the recorded ones: `npx tsx test/samples/derive/derive.ts`. Needs mergecap and editcap. */

for (const { file, and = [], derive } of DERIVATIONS) {
  const made = derive();
  const contents = made instanceof Uint8Array ? [made] : made;
  [file, ...and].forEach((name, index) => {
    writeFileSync(SAMPLES + name, contents[index]!);
    process.stdout.write(`${name} ${contents[index]!.length} bytes\n`);
  });
}
writeListing(new Map());
