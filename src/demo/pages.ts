import { ProtocolStatus, RecordType, Role } from '../protocol/fastcgi/constants.js';
import { encodeRecord } from '../protocol/fastcgi/encoder.js';
import type { ApplicationRequest } from './application-request.js';

/**
 * The demo application's site: one function per SCRIPT_NAME, each with a behaviour that a real site shows sooner or later. What they
 * write to STDERR has the form of PHP's messages, because that is what most readers will compare with.
 */

type Params = ReadonlyMap<string, string>;
type Page = (request: ApplicationRequest, params: Params) => Promise<void>;

/** Waits for PARAMS, answers, and ends the request. Rejects with PeerGone when the connection ends before. */
export async function answer(request: ApplicationRequest): Promise<void> {
  const params = await request.params();
  if (request.role === Role.AUTHORIZER) return authorize(request, params);
  // Read first, answer then: an early END_REQUEST would meet a web server that is still sending.
  await request.stdin();
  if (request.role === Role.FILTER) return numberLines(request, params);
  const script = params.get('SCRIPT_NAME') ?? '';
  await (Object.hasOwn(PAGES, script) ? PAGES[script]! : missing)(request, params);
}

const SLOW_MS = 1_500;
const LARGE_BYTES = 6_000_000;
const STREAM_LINES = 14;
const STREAM_MS = 150;
const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Long enough for what was written to arrive before the reset, which would overtake it. */
const BEFORE_RESET_MS = 50;

const PAGES: Readonly<Record<string, Page>> = {
  '/index.php': async (request, params) => {
    const number = new URLSearchParams(params.get('QUERY_STRING') ?? '').get('page') ?? '1';
    await html(request, 'Shop', `<h1>Page ${escapeHtml(number)}</h1>\n${list(24)}`);
  },

  '/report.php': async (request) => {
    await request.wait(SLOW_MS);
    await html(request, 'Report', `<h1>Sales of the year</h1>\n${list(60)}`);
  },

  '/export.php': async (request) => {
    await request.stdout(
      `Content-Type: application/octet-stream\r\nContent-Length: ${LARGE_BYTES}\r\nContent-Disposition: attachment; filename="export.bin"\r\n\r\n`,
    );
    const block = Uint8Array.from({ length: 65_528 }, (_, at) => (at * 31) & 0xff);
    for (let left = LARGE_BYTES; left > 0; left -= block.length) {
      await request.stdout(block.subarray(0, Math.min(left, block.length)));
    }
    await request.end();
  },

  '/events.php': async (request) => {
    await request.stdout('Content-Type: text/event-stream\r\nCache-Control: no-store\r\nX-Accel-Buffering: no\r\n\r\n');
    for (let line = 1; line <= STREAM_LINES && !request.aborted; line++) {
      await request.wait(STREAM_MS);
      await request.stdout(`id: ${line}\ndata: {"stock":${100 - line}}\n\n`);
    }
    await request.end();
  },

  '/contact.php': async (request) => {
    const { bytes } = await request.stdin();
    const fields = [...new URLSearchParams(new TextDecoder().decode(bytes))];
    const rows = fields.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`);
    await html(request, 'Thank you', `<dl>\n${rows.join('\n')}\n</dl>`);
  },

  '/upload.php': async (request) => {
    const { length } = await request.stdin();
    await html(request, 'Upload', `<p>${length} bytes received</p>`);
  },

  '/api/orders.php': async (request, params) => {
    if (params.get('REQUEST_METHOD') !== 'POST') {
      const orders = [1, 2, 3].map((id) => ({ id, total: id * 19.9, state: id === 3 ? 'open' : 'sent' }));
      return json(request, '200 OK', { orders });
    }
    const { bytes } = await request.stdin();
    try {
      const order: unknown = JSON.parse(new TextDecoder().decode(bytes));
      await json(request, '201 Created', { id: 4, order });
    } catch {
      await json(request, '400 Bad Request', { error: 'the body is not JSON' });
    }
  },

  '/cart.php': async (request) => {
    await request.stderr('PHP message: PHP Warning:  Undefined variable $total in /srv/www/shop/cart.php on line 42\n');
    await html(request, 'Cart', '<p>Total: 0.00</p>');
  },

  '/checkout.php': async (request) => {
    await request.stderr(
      'PHP message: PHP Fatal error:  Uncaught TypeError: Order::pay(): Argument #1 ($amount) must be of type float, null given, ' +
        'called in /srv/www/shop/checkout.php on line 17 and defined in /srv/www/shop/lib/Order.php:88\n' +
        'Stack trace:\n#0 /srv/www/shop/checkout.php(17): Order->pay(NULL)\n#1 {main}\n  thrown in /srv/www/shop/lib/Order.php on line 88\n',
    );
    await request.stdout('Status: 500 Internal Server Error\r\nContent-Type: text/html; charset=UTF-8\r\n\r\n');
    await request.end(255);
  },

  '/login.php': async (request) => {
    await request.stdout(
      'Status: 302 Found\r\nLocation: /account.php\r\nSet-Cookie: session=c1d2e3f4; HttpOnly\r\nContent-Type: text/html\r\n\r\n',
    );
    await request.end();
  },

  '/busy.php': (request) => request.end(0, ProtocolStatus.OVERLOADED),

  '/import.php': async (request) => {
    await request.stdout(`Content-Type: text/plain\r\n\r\n${'row imported\n'.repeat(2_000)}`);
    // A record that announces more than ever comes: the process died while it wrote.
    const record = encodeRecord({
      type: RecordType.STDOUT,
      requestId: request.id,
      content: new Uint8Array(8_192).fill(0x2e),
    });
    await request.peer.send(record.subarray(0, 3_000));
    request.peer.finish();
    await request.peer.closed;
  },

  '/thumbnail.php': async (request) => {
    await request.stdout('Content-Type: image/png\r\n\r\n');
    await request.stdout(Uint8Array.from({ length: 20_000 }, (_, at) => PNG_SIGNATURE[at] ?? 0x5a));
    await request.wait(BEFORE_RESET_MS);
    request.peer.reset();
  },
};

/** PHP-FPM's own answer for a script that it does not find. */
async function missing(request: ApplicationRequest): Promise<void> {
  await request.stderr('Primary script unknown');
  await request.stdout('Status: 404 Not Found\r\nContent-type: text/html; charset=UTF-8\r\n\r\nFile not found.\n');
  await request.end();
}

/** Section 6.3: 200 lets the web server go on, with the variables; anything else is sent to the browser. */
async function authorize(request: ApplicationRequest, params: Params): Promise<void> {
  const [user] = Buffer.from((params.get('HTTP_AUTHORIZATION') ?? '').replace(/^Basic /, ''), 'base64')
    .toString()
    .split(':');
  if (user === 'alice') {
    await request.stdout('Status: 200\r\nVariable-REMOTE_USER: alice\r\nVariable-GROUP: staff\r\n\r\n');
  } else {
    await request.stdout('Status: 403 Forbidden\r\nContent-Type: text/plain\r\n\r\nStaff only.\n');
  }
  await request.end();
}

/** Section 6.4: a file on DATA, its length and time in the params, a changed file back. */
async function numberLines(request: ApplicationRequest, params: Params): Promise<void> {
  const file = await request.data();
  if (file.length !== Number(params.get('FCGI_DATA_LENGTH'))) {
    await request.stderr(`DATA has ${file.length} bytes, FCGI_DATA_LENGTH says ${params.get('FCGI_DATA_LENGTH')}\n`);
  }
  const lines = new TextDecoder().decode(file).trimEnd().split('\n');
  const numbered = lines.map((line, at) => `${String(at + 1).padStart(4)}  ${line}\n`);
  await request.stdout(`Content-Type: text/plain; charset=UTF-8\r\n\r\n${numbered.join('')}`);
  await request.end();
}

async function html(request: ApplicationRequest, title: string, body: string): Promise<void> {
  await request.stdout(
    `X-Powered-By: fcgi-inspect demo\r\nContent-Type: text/html; charset=UTF-8\r\n\r\n<!doctype html>\n<title>${title}</title>\n${body}\n`,
  );
  await request.end();
}

async function json(request: ApplicationRequest, status: string, value: unknown): Promise<void> {
  await request.stdout(`Status: ${status}\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(value)}\n`);
  await request.end();
}

function list(length: number): string {
  const items = Array.from({ length }, (_, at) => `<li><a href="/item.php?id=${at + 1}">Item ${at + 1}</a></li>`);
  return `<ul>\n${items.join('\n')}\n</ul>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
