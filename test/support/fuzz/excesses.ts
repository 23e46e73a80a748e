import { gzipSync } from 'node:zlib';
import { RecordType } from '../../../src/protocol/fastcgi/constants.js';
import {
  encodeBeginRequest,
  encodeEndRequest,
  encodeParams,
  encodeRecord,
  encodeStream,
} from '../../../src/protocol/fastcgi/encoder.js';
import { head, type Material, noise, params, type Roll } from './pieces.js';

/** Well formed for the most part, and too much of it. */

export function excessive(roll: Roll): Material {
  const [name, make] = EXCESSES[roll(EXCESSES.length)]!;
  return { name, stdout: null, ...make(roll) };
}

const BEGUN = Buffer.concat([
  encodeBeginRequest(1, 1, 1),
  encodeParams(1, [['SCRIPT_NAME', '/x']]),
  encodeStream('stdin', 1, new Uint8Array(0)),
]);
const ENDED = Buffer.from(encodeEndRequest(1, 0, 0));

const EXCESSES: readonly (readonly [string, (roll: Roll) => Pick<Material, 'client' | 'server'>])[] = [
  [
    'requests that never end',
    (roll) => ({
      client: repeated(1 + roll(roll(8) === 0 ? 1_500 : 60), (i) => encodeBeginRequest(1 + (i % 0xffff), 1, 1)),
      server: Buffer.alloc(0),
    }),
  ],
  [
    'many requests on one connection',
    (roll) => {
      const count = 1 + roll(roll(8) === 0 ? 400 : 40);
      return {
        client: repeated(count, () => BEGUN),
        server: repeated(count, () => Buffer.concat([encodeStream('stdout', 1, head(roll)), ENDED])),
      };
    },
  ],
  [
    'records of one byte',
    (roll) => ({
      client: BEGUN,
      server: Buffer.concat([
        encodeStream('stdout', 1, Buffer.concat([head(roll), noise(roll, 6_000)]), { recordLength: 1 }),
        ENDED,
      ]),
    }),
  ],
  [
    'empty records',
    (roll) => ({
      client: repeated(roll(6_000), () => encodeRecord({ type: RecordType.STDIN, requestId: 1 })),
      server: repeated(roll(6_000), () => encodeRecord({ type: RecordType.STDOUT, requestId: 1 })),
    }),
  ],
  [
    'a header block without end',
    (roll) => ({
      client: BEGUN,
      server: Buffer.concat([
        encodeStream('stdout', 1, Buffer.from(`X-${'a: b\n X'.repeat(30_000 + roll(30_000))}`)),
        ENDED,
      ]),
    }),
  ],
  [
    'params of megabytes',
    (roll) => ({
      client: Buffer.concat([
        encodeBeginRequest(1, 1, 0),
        encodeParams(1, [['A', noise(roll, 3_000_000)], ...params(roll)]),
        encodeStream('stdin', 1, new Uint8Array(0)),
      ]),
      server: Buffer.from(ENDED),
    }),
  ],
  [
    'names longer than can be',
    (roll) => ({
      client: Buffer.concat([
        encodeBeginRequest(1, 1, 0),
        encodeStream('params', 1, Buffer.concat([Buffer.from('ffffffffffffffff', 'hex'), noise(roll, 9_000)])),
      ]),
      server: Buffer.from(ENDED),
    }),
  ],
  [
    'thousands of params',
    (roll) => ({
      client: Buffer.concat([
        encodeBeginRequest(1, 1, 0),
        encodeParams(
          1,
          Array.from({ length: roll(20_000) }, (_, i) => [`N${i}`, ''] as const),
        ),
      ]),
      server: Buffer.from(ENDED),
    }),
  ],
  [
    'a compressed body that is large',
    (roll) => ({
      client: BEGUN,
      server: Buffer.concat([
        encodeStream(
          'stdout',
          1,
          Buffer.concat([
            Buffer.from('Content-Encoding: gzip\r\nContent-Type: text/html\r\n\r\n'),
            BOMBS[roll(BOMBS.length)]!,
          ]),
        ),
        ENDED,
      ]),
    }),
  ],
  [
    'megabytes both ways',
    (roll) => ({
      client: Buffer.concat([
        encodeBeginRequest(1, 1, 0),
        encodeParams(1, params(roll)),
        encodeStream('stdin', 1, noise(roll, 2_000_000)),
      ]),
      server: Buffer.concat([encodeStream('stdout', 1, Buffer.concat([head(roll), noise(roll, 4_000_000)])), ENDED]),
    }),
  ],
  ['noise of megabytes', (roll) => ({ client: noise(roll, 1_500_000), server: noise(roll, 1_500_000) })],
];

/** More than is decoded, and less. */
const BOMBS = [20_000_000, 300_000, 300_000, 300_000].map((length) => gzipSync(Buffer.alloc(length)));

function repeated(count: number, make: (index: number) => Uint8Array): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, index) => make(index)));
}
