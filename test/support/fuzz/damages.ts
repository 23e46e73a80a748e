import { encodeRecord } from '../../../src/protocol/fastcgi/encoder.js';
import { noise, type Roll } from './pieces.js';

/** Ways in which records that were right go wrong. */

export type Damage = (records: Buffer[], roll: Roll) => Buffer[];

export const DAMAGES: readonly (readonly [string, Damage])[] = [
  [
    'bits flipped',
    inBytes((bytes, roll) => {
      for (let i = roll(8); i >= 0; i--) {
        const at = roll(bytes.length);
        bytes[at] = bytes[at]! ^ (1 << roll(8));
      }
      return bytes;
    }),
  ],
  ['cut off', inBytes((bytes, roll) => bytes.subarray(0, roll(bytes.length)))],
  ['beginning lost', inBytes((bytes, roll) => bytes.subarray(roll(bytes.length)))],
  [
    'a piece lost',
    inBytes((bytes, roll) => {
      const at = roll(bytes.length);
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + roll(40))]);
    }),
  ],
  [
    'noise put in',
    inBytes((bytes, roll) => {
      const at = roll(bytes.length);
      return Buffer.concat([bytes.subarray(0, at), noise(roll, 1 + roll(300)), bytes.subarray(at)]);
    }),
  ],
  ['a record twice', (records, roll) => records.toSpliced(roll(records.length), 0, records[roll(records.length)]!)],
  ['a record lost', (records, roll) => records.toSpliced(roll(records.length), 1)],
  [
    'records shuffled',
    (records, roll) => {
      const deck = [...records];
      for (let last = deck.length - 1; last > 0; last--) {
        const other = roll(last + 1);
        [deck[last], deck[other]] = [deck[other]!, deck[last]!];
      }
      return deck;
    },
  ],
  [
    'a strange header',
    inHeader((header, roll) => {
      header[[0, 1, 6, 7][roll(4)]!] = roll(256);
    }),
  ],
  ['a wrong id', inHeader((header, roll) => header.writeUInt16BE(roll(0x10000), 2))],
  ['an absurd length', inHeader((header, roll) => header.writeUInt16BE([0, 1, 0xfffe, 0xffff][roll(4)]!, 4))],
  [
    'another type',
    inHeader((header, roll) => {
      header[1] = 1 + roll(12);
    }),
  ],
  [
    'unknown management',
    (records, roll) =>
      records.toSpliced(
        roll(records.length),
        0,
        Buffer.from(encodeRecord({ type: 12 + roll(244), requestId: 0, content: noise(roll, roll(100)) })),
      ),
  ],
];

function inBytes(damage: (bytes: Buffer, roll: Roll) => Buffer): Damage {
  return (records, roll) => {
    const bytes = Buffer.concat(records);
    return bytes.length === 0 ? records : [damage(bytes, roll)];
  };
}

function inHeader(damage: (header: Buffer, roll: Roll) => void): Damage {
  return (records, roll) => {
    const at = roll(records.length);
    const record = Buffer.from(records[at] ?? []);
    if (record.length < 8) return records;
    damage(record, roll);
    return records.with(at, record);
  };
}
