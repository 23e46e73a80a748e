import fc from 'fast-check';
import { concatBytes } from '../../src/model/bytes.js';
import type { Side } from '../../src/model/connection.js';
import { KEEP_CONN, RecordType, Role } from '../../src/protocol/fastcgi/constants.js';
import {
  encodeBeginRequest,
  encodeEndRequest,
  encodeParams,
  encodeRecord,
} from '../../src/protocol/fastcgi/encoder.js';
import { text } from '../protocol/fastcgi/conversation.js';
import type { Conversation, Loss, Turn } from '../protocol/fastcgi/lossy-conversation.js';

/** Ways in which a request goes wrong; each is one that a rule knows by what does not come, or by lengths that do not fit. */
export type Fault =
  | 'none'
  | 'no-header'
  | 'header-open'
  | 'short-stdin'
  | 'short-body'
  | 'long-body'
  | 'dies'
  | 'silent';
export const FAULTS: readonly Fault[] = [
  'no-header',
  'header-open',
  'short-stdin',
  'short-body',
  'long-body',
  'dies',
  'silent',
];

/** Requests one after the other on a kept connection, as web servers and PHP speak; the last one may go wrong. */
export interface Traffic extends Conversation {
  readonly fault: Fault;
}

interface Plan {
  readonly post: number;
  readonly role: 'responder' | 'authorizer' | 'filter';
  readonly declares: boolean;
  readonly gzip: boolean;
  readonly method: 'GET' | 'POST' | 'HEAD';
  readonly body: number;
  /** Sizes that content is cut into. */
  readonly cut: number;
  readonly padding: number;
  readonly stderr: boolean;
  readonly endsStdout: boolean;
  readonly turns: readonly number[];
}

const plans: fc.Arbitrary<Plan> = fc.record({
  post: fc.integer({ min: 1, max: 900 }),
  role: fc.constantFrom('responder', 'responder', 'responder', 'authorizer', 'filter'),
  declares: fc.boolean(),
  gzip: fc.boolean(),
  method: fc.constantFrom('GET', 'POST', 'HEAD'),
  body: fc.nat(900),
  cut: fc.constantFrom(20, 90, 400, 65_535),
  padding: fc.nat(7),
  stderr: fc.boolean(),
  endsStdout: fc.boolean(),
  turns: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 12 }),
});

/** @param faults of which the last request has one */
export function traffic(faults: readonly Fault[]): fc.Arbitrary<Traffic> {
  return fc.tuple(fc.array(plans, { minLength: 1, maxLength: 5 }), fc.constantFrom(...faults)).map(([all, fault]) => ({
    turns: all.flatMap((plan, request) => talk(plan, request, request === all.length - 1 ? fault : 'none')),
    owners: { client: new Map(), server: new Map() },
    fault,
  }));
}

/** What was lost of it: packets, as a capture loses them, and pieces of any length. */
export function lossesOf({ turns }: Conversation): fc.Arbitrary<readonly Loss[]> {
  const total = (side: Side) => turns.reduce((sum, turn) => sum + (turn.side === side ? turn.bytes.length : 0), 0);
  const loss = fc
    .tuple(
      fc.constantFrom<Side>('client', 'server'),
      fc.nat(0xffff),
      fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 41, max: 1448 })),
    )
    .map(([side, place, length]): Loss => {
      const from = place % Math.max(1, total(side));
      return [side, from, Math.min(from + length, total(side))];
    });
  return fc.array(loss, { minLength: 1, maxLength: 3 }).map((all) => all.filter(([, from, to]) => to > from));
}

function talk(drawn: Plan, request: number, fault: Fault): Turn[] {
  const plan: Plan = fault === 'none' ? drawn : { ...drawn, role: 'responder', method: 'GET', gzip: false };
  const says: [Side, Uint8Array[]][] = [
    ['client', asked(plan, request, fault)],
    ['server', answered(plan, fault)],
  ];
  return says.flatMap(([side, records]) => {
    const turns: Turn[] = [];
    for (let at = 0, i = 0; at < records.length; i += 1) {
      const count = plan.turns[i % plan.turns.length]!;
      turns.push({ side, bytes: concatBytes(records.slice(at, at + count)), request });
      at += count;
    }
    return turns;
  });
}

const ROLES = { responder: Role.RESPONDER, authorizer: Role.AUTHORIZER, filter: Role.FILTER } as const;
const DATA = 'x'.repeat(77);

function asked(plan: Plan, request: number, fault: Fault): Uint8Array[] {
  const takesBody = plan.role !== 'authorizer';
  const posts = takesBody && (plan.method === 'POST' || fault === 'short-stdin');
  const length = posts ? plan.post : 0;
  const params: [string, string][] = [
    ['REQUEST_METHOD', posts ? 'POST' : plan.method === 'POST' ? 'GET' : plan.method],
    ['REQUEST_URI', `/shop/item${request}.php?a=1`],
    ['DOCUMENT_ROOT', '/srv/www'],
    ['SCRIPT_NAME', `/shop/item${request}.php`],
    ['SCRIPT_FILENAME', `/srv/www/shop/item${request}.php`],
    ['SERVER_SOFTWARE', 'nginx/1.22.1'],
    ['HTTP_HOST', 'shop.example'],
    ['HTTP_ACCEPT_ENCODING', 'gzip'],
    ['CONTENT_LENGTH', posts ? String(length + (fault === 'short-stdin' ? 50 : 0)) : ''],
    ...(plan.role === 'filter'
      ? ([
          ['FCGI_DATA_LENGTH', String(DATA.length)],
          ['FCGI_DATA_LAST_MOD', '1789000000'],
        ] as [string, string][])
      : []),
  ];
  return [
    encodeBeginRequest(1, ROLES[plan.role], KEEP_CONN),
    encodeParams(1, params),
    ...(takesBody ? cut(plan, RecordType.STDIN, new Uint8Array(length).fill(0x61)) : []),
    ...(takesBody ? [encodeRecord({ type: RecordType.STDIN, requestId: 1 })] : []),
    ...(plan.role === 'filter' ? cut(plan, RecordType.DATA, text(DATA)) : []),
    ...(plan.role === 'filter' ? [encodeRecord({ type: RecordType.DATA, requestId: 1 })] : []),
  ];
}

function answered(plan: Plan, fault: Fault): Uint8Array[] {
  if (fault === 'silent') return [];
  const bodiless = plan.role === 'authorizer' || plan.method === 'HEAD';
  const body = bodiless && fault === 'none' ? new Uint8Array(0) : bodyOf(plan);
  const declared = body.length + (fault === 'short-body' ? 30 : fault === 'long-body' ? -1 : 0);
  const lengths = fault === 'short-body' || fault === 'long-body' || (plan.declares && !bodiless);
  const head = [
    'Content-Type: text/html',
    'X-Powered-By: PHP/8.2.1',
    ...(plan.gzip && body.length > 0 ? ['Content-Encoding: gzip'] : []),
    ...(lengths ? [`Content-Length: ${declared}`] : []),
  ];
  const whole = concatBytes([text(`${head.join('\r\n')}\r\n${fault === 'header-open' ? '' : '\r\n'}`), body]);
  const stdout =
    fault === 'no-header' ? [] : cut(plan, RecordType.STDOUT, fault === 'header-open' ? text('X: y') : whole);
  const records = [
    ...stdout.slice(0, 1),
    ...(plan.stderr ? [record(plan, RecordType.STDERR, text('PHP message: PHP Notice:  an old friend'))] : []),
    ...stdout.slice(1),
  ];
  if (fault === 'dies') return records.slice(0, -1);
  return [
    ...records,
    ...(plan.endsStdout ? [encodeRecord({ type: RecordType.STDOUT, requestId: 1 })] : []),
    encodeEndRequest(1, 0, 0),
  ];
}

function bodyOf({ body, gzip }: Plan): Uint8Array {
  const bytes = new Uint8Array(body + 40).fill(0x62);
  bytes.set(gzip ? [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b] : text('<!DOCTYPE html>'));
  return bytes;
}

function cut(plan: Plan, type: number, content: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let at = 0; at < content.length; at += plan.cut)
    records.push(record(plan, type, content.subarray(at, at + plan.cut)));
  return records;
}

function record({ padding }: Plan, type: number, content: Uint8Array): Uint8Array {
  return encodeRecord({ type, requestId: 1, content, padding });
}
