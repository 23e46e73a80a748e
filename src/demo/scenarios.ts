import { MAX_CONNS, MAX_REQS, MPXS_CONNS, Role } from '../protocol/fastcgi/constants.js';
import { encodeAbortRequest, encodeGetValues } from '../protocol/fastcgi/encoder.js';
import { type Answer, type BackendConnection, type RequestPlan, requestRecords } from './backend-connection.js';
import { type RequestLine, requestParams } from './request-params.js';

/** What a scenario plays with. */
export interface Stage {
  /** A new connection to the application; the stage closes what the scenario leaves open. */
  connect(): Promise<BackendConnection>;
  /** Returns early when the demo stops. */
  wait(milliseconds: number): Promise<void>;
}

export interface Scenario {
  readonly name: string;
  /** How often it comes in one round of all. */
  readonly weight: number;
  /** The answers, in the order in which the requests began. */
  run(stage: Stage): Promise<readonly Answer[]>;
}

const FORM = 'application/x-www-form-urlencoded';
/** Several STDIN records of nginx's size. */
const UPLOAD_BYTES = 400_000;
const FILTERED_FILE = 'first line\nsecond line\nthird line\n';
const LEAVE_AFTER_MS = 400;
const ABORT_AFTER_MS = 200;

/** The mix of the demo: what a shop's web server sees on a bad day, each kind at least once a round. */
export const SCENARIOS: readonly Scenario[] = [
  { name: 'fast page', weight: 8, run: alone({ uri: '/index.php?page=2' }) },
  { name: 'slow page', weight: 1, run: alone({ uri: '/report.php?year=2025' }) },
  { name: 'large download', weight: 1, run: alone({ uri: '/export.php' }) },
  { name: 'streamed events', weight: 1, run: alone({ uri: '/events.php' }) },
  {
    name: 'form',
    weight: 2,
    run: alone(
      { method: 'POST', uri: '/contact.php', contentType: FORM },
      text('name=Ada+Lovelace&email=ada%40example.org&password=correct+horse&message=Hello%21'),
    ),
  },
  {
    name: 'upload',
    weight: 1,
    run: alone(
      { method: 'POST', uri: '/upload.php', contentType: 'application/octet-stream' },
      Uint8Array.from({ length: UPLOAD_BYTES }, (_, at) => (at * 7) & 0xff),
    ),
  },
  { name: 'JSON list', weight: 3, run: alone({ uri: '/api/orders.php?state=open' }) },
  {
    name: 'JSON post',
    weight: 2,
    run: alone(
      { method: 'POST', uri: '/api/orders.php', contentType: 'application/json' },
      text('{"article":17,"amount":2,"note":"Grüße"}'),
    ),
  },
  { name: 'warning on STDERR', weight: 2, run: alone({ uri: '/cart.php' }) },
  {
    name: 'fatal error',
    weight: 1,
    run: alone({ method: 'POST', uri: '/checkout.php', contentType: FORM }, text('pay=1')),
  },
  {
    name: 'redirect',
    weight: 2,
    run: alone({ method: 'POST', uri: '/login.php', contentType: FORM }, text('user=ada&password=correct+horse')),
  },
  { name: 'not found', weight: 2, run: alone({ uri: '/wp-login.php' }) },
  { name: 'overloaded', weight: 1, run: alone({ uri: '/busy.php' }) },
  { name: 'backend closes in the middle', weight: 1, run: alone({ uri: '/import.php' }) },
  { name: 'backend resets in the middle', weight: 1, run: alone({ uri: '/thumbnail.php?id=12' }) },
  { name: 'access allowed', weight: 1, run: authorization('alice') },
  { name: 'access denied', weight: 1, run: authorization('mallory') },
  { name: 'filter', weight: 1, run: filter },
  { name: 'kept connection', weight: 2, run: keptConnection },
  { name: 'multiplexed requests', weight: 1, run: multiplexed },
  { name: 'browser gone while it waits', weight: 1, run: goneWaiting },
  { name: 'browser gone while it reads', weight: 1, run: goneReading },
  { name: 'aborted upload', weight: 1, run: abortedUpload },
];

/** One request on a connection of its own, without FCGI_KEEP_CONN: the usual way. */
function alone(line: RequestLine, stdin?: Uint8Array): Scenario['run'] {
  return async (stage) => {
    const connection = await stage.connect();
    const answer = await connection.request(plan(line, stdin));
    await connection.close();
    return [answer];
  };
}

/** As mod_authnz_fcgi asks: params only (section 6.3). */
function authorization(user: string): Scenario['run'] {
  return async (stage) => {
    const credentials = Buffer.from(`${user}:secret`).toString('base64');
    const params = requestParams({ uri: '/staff/prices.php', more: [['HTTP_AUTHORIZATION', `Basic ${credentials}`]] });
    const connection = await stage.connect();
    const answer = await connection.request({ role: Role.AUTHORIZER, params });
    await connection.close();
    return [answer];
  };
}

async function filter(stage: Stage): Promise<readonly Answer[]> {
  const data = text(FILTERED_FILE);
  const params = requestParams({
    uri: '/terms.txt',
    more: [
      ['FCGI_DATA_LAST_MOD', '1767225600'],
      ['FCGI_DATA_LENGTH', String(data.length)],
    ],
  });
  const connection = await stage.connect();
  const answer = await connection.request({ role: Role.FILTER, params, data });
  await connection.close();
  return [answer];
}

/** FCGI_KEEP_CONN: one request after the other under the same id (section 3.3). */
async function keptConnection(stage: Stage): Promise<readonly Answer[]> {
  const connection = await stage.connect();
  const answers: Answer[] = [];
  for (const uri of ['/index.php', '/index.php?page=3', '/cart.php', '/api/orders.php']) {
    answers.push(await connection.request({ ...plan({ uri }), keep: true }));
    await stage.wait(30);
  }
  await connection.close();
  return answers;
}

/** Asks whether it may (section 4.1), then sends three requests at once, record by record in turn. */
async function multiplexed(stage: Stage): Promise<readonly Answer[]> {
  const connection = await stage.connect();
  const values = connection.managementAnswer();
  await connection.send(encodeGetValues([MAX_CONNS, MAX_REQS, MPXS_CONNS]));
  await values;
  const plans: RequestPlan[] = [
    { ...plan({ uri: '/events.php?channel=a' }), id: 1, keep: true },
    {
      ...plan({ method: 'POST', uri: '/contact.php', contentType: FORM }, text(`message=${'x'.repeat(90_000)}`)),
      id: 2,
      keep: true,
    },
    { ...plan({ uri: '/events.php?channel=b' }), id: 3, keep: true },
  ];
  const answers = plans.map(({ id = 1 }) => connection.expect(id));
  const senders = plans.map(requestRecords);
  while (senders.length > 0) {
    for (const sender of [...senders]) {
      const next = sender.next();
      if (next.done) senders.splice(senders.indexOf(sender), 1);
      else await connection.send(next.value);
    }
  }
  const all = await Promise.all(answers);
  await connection.close();
  return all;
}

/** What nginx does when the browser goes away before anything came: it just closes. */
async function goneWaiting(stage: Stage): Promise<readonly Answer[]> {
  const connection = await stage.connect();
  const answer = connection.request(plan({ uri: '/report.php?year=2024' }));
  await stage.wait(LEAVE_AFTER_MS);
  connection.peer.destroy();
  return [await answer];
}

async function goneReading(stage: Stage): Promise<readonly Answer[]> {
  const connection = await stage.connect();
  const answer = connection.request(plan({ uri: '/events.php?channel=c' }));
  await connection.firstOutput(1);
  await stage.wait(LEAVE_AFTER_MS);
  connection.peer.destroy();
  return [await answer];
}

/** ABORT_REQUEST in the middle of STDIN (section 5.4): the application still ends the request. */
async function abortedUpload(stage: Stage): Promise<readonly Answer[]> {
  const connection = await stage.connect();
  const line: RequestLine = { method: 'POST', uri: '/upload.php', contentType: 'application/octet-stream' };
  const records = [...requestRecords(plan(line, new Uint8Array(UPLOAD_BYTES)))];
  const answer = connection.expect(1);
  for (const record of records.slice(0, records.length >> 1)) await connection.send(record);
  await stage.wait(ABORT_AFTER_MS);
  await connection.send(encodeAbortRequest(1));
  const result = await answer;
  await connection.close();
  return [result];
}

function plan(line: RequestLine, stdin?: Uint8Array): RequestPlan {
  if (stdin === undefined) return { params: requestParams(line) };
  return { params: requestParams({ ...line, contentLength: stdin.length }), stdin };
}

function text(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}
