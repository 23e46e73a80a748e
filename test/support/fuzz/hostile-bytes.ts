import {
  encodeAbortRequest,
  encodeBeginRequest,
  encodeEndRequest,
  encodeGetValues,
  encodeParams,
  encodeStream,
} from '../../../src/protocol/fastcgi/encoder.js';
import { DAMAGES } from './damages.js';
import { excessive } from './excesses.js';
import { body, head, hostileText, type Material, noise, params, type Roll, size } from './pieces.js';

/**
 * Anything that two peers may say to one another when they mean no good, do not know better, or speak something else: mostly FastCGI
 * that was damaged somewhere, as what is nearly right gets furthest.
 */
export function material(roll: Roll): Material {
  const kind = roll(100);
  if (kind < 20) return proper(roll);
  if (kind < 70) return damaged(roll);
  if (kind < 80) return foreign(roll);
  if (kind < 90) return excessive(roll);
  return {
    name: 'random bytes',
    client: noise(roll, roll(20_000)),
    server: noise(roll, roll(60_000)),
    stdout: null,
  };
}

function proper(roll: Roll): Material {
  const stdout = Buffer.concat([head(roll), noise(roll, size(roll))]);
  const layout = { recordLength: 1 + roll(65_535), alignment: roll(2) === 0 ? 1 : 8 };
  return {
    name: 'a proper request',
    client: Buffer.concat([
      encodeBeginRequest(1, 1, 0),
      encodeParams(1, params(roll)),
      encodeStream('stdin', 1, noise(roll, size(roll)), layout),
    ]),
    server: Buffer.concat([
      encodeStream('stdout', 1, stdout, {
        ...layout,
        recordLength: Math.max(layout.recordLength, stdout.length >> 10, 1),
      }),
      encodeEndRequest(1, 0, 0),
    ]),
    stdout,
  };
}

function damaged(roll: Roll): Material {
  const names: string[] = [];
  const harm = (records: Buffer[]): Buffer => {
    let now = records;
    for (let i = roll(4); i >= 0; i--) {
      const [name, damage] = DAMAGES[roll(DAMAGES.length)]!;
      names.push(name);
      if (now.length > 0) now = damage(now, roll);
    }
    return Buffer.concat(now);
  };
  const spared = roll(4);
  const client = requests(roll);
  const server = responses(roll);
  return {
    client: spared === 0 ? Buffer.concat(client) : harm(client),
    server: spared === 1 ? Buffer.concat(server) : harm(server),
    name: `damaged: ${names.join(', ')}`,
    stdout: null,
  };
}

/** What the web server sends: some requests one after the other or interwoven, as records. */
function requests(roll: Roll): Buffer[] {
  const records: Uint8Array[] = [];
  for (let i = 1 + roll(4); i > 0; i--) {
    const id = roll(10) === 0 ? roll(0x10000) : 1 + roll(3);
    if (roll(8) === 0) records.push(encodeGetValues(['FCGI_MAX_CONNS', 'FCGI_MPXS_CONNS']));
    const layout = { recordLength: 1 + roll(3_000), alignment: roll(2) === 0 ? 1 : 8, close: roll(12) > 0 };
    records.push(
      encodeBeginRequest(id, roll(10) === 0 ? roll(0x10000) : 1 + roll(3), roll(2)),
      ...split(encodeParams(id, params(roll), layout)),
      ...split(encodeStream('stdin', id, noise(roll, roll(8_000)), layout)),
    );
    if (roll(8) === 0) records.push(...split(encodeStream('data', id, noise(roll, roll(8_000)), layout)));
    if (roll(8) === 0) records.push(encodeAbortRequest(id));
  }
  return records.map((record) => Buffer.from(record));
}

function responses(roll: Roll): Buffer[] {
  const records: Uint8Array[] = [];
  for (let i = 1 + roll(4); i > 0; i--) {
    const id = roll(10) === 0 ? roll(0x10000) : 1 + roll(3);
    const layout = { recordLength: 1 + roll(3_000), alignment: roll(2) === 0 ? 1 : 8, close: roll(12) > 0 };
    if (roll(3) === 0) records.push(...split(encodeStream('stderr', id, hostileText(roll), layout)));
    records.push(...split(encodeStream('stdout', id, Buffer.concat([head(roll), body(roll)]), layout)));
    if (roll(12) > 0)
      records.push(encodeEndRequest(id, roll(4) === 0 ? roll(0x100000000) : 0, roll(6) === 0 ? roll(256) : 0));
  }
  return records.map((record) => Buffer.from(record));
}

/** The records that an encoder has put together. */
function split(bytes: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 8 + (bytes[at + 4]! << 8) + bytes[at + 5]! + bytes[at + 6]!;
    records.push(bytes.subarray(at, end));
    at = end;
  }
  return records;
}

function foreign(roll: Roll): Material {
  const pick = (): readonly [string, Buffer] => FOREIGN[roll(FOREIGN.length)]!;
  const [nameOfClient, client] = pick();
  const [nameOfServer, server] = roll(2) === 0 ? pick() : ['FastCGI', Buffer.concat(responses(roll))];
  return { name: `${nameOfClient} and ${nameOfServer}`, client, server, stdout: null };
}

const FOREIGN: readonly (readonly [string, Buffer])[] = [
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: example\r\nUser-Agent: \x1b]0;title\x07\r\n\r\n')],
  ['an HTTP answer', Buffer.from(`HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nno\n${'x'.repeat(70_000)}`)],
  ['HTTP/2', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1')],
  ['TLS', Buffer.from('1603010200010001fc0303', 'hex')],
  ['SCGI', Buffer.from('70:CONTENT_LENGTH\0' + '27\0SCGI\x001\0REQUEST_METHOD\0POST\0REQUEST_URI\0/deepthought\0,')],
  ['uwsgi', Buffer.from('000b00000400484f53540300782e79', 'hex')],
  ['AJP', Buffer.from('1234000c0202', 'hex')],
  ['Redis', Buffer.from('*1\r\n$4\r\nPING\r\n')],
  ['zeros', Buffer.alloc(40_000)],
  ['ones', Buffer.alloc(40_000, 1)],
  ['all bits', Buffer.alloc(40_000, 0xff)],
  ['nothing', Buffer.alloc(0)],
  ['one byte', Buffer.from([1])],
  ['half a header', Buffer.from([1, 1, 0, 1])],
];
