import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FcgiInspectError } from '../../src/model/errors.js';
import type { Exchange, ExchangeRow, StreamName } from '../../src/model/exchange.js';
import {
  FIELDS,
  FilterError,
  type FilterSubject,
  filterErrorPicture,
  MATCHED_BYTES,
  parseFilter,
} from '../../src/session/filter.js';

const NO_STREAM = { bytes: 0, records: 0, ended: false, missing: 0 };

const ROW: ExchangeRow = {
  n: 7,
  connection: 3,
  requestId: 1,
  at: 1_789_000_000_000_000,
  role: 'responder',
  outcome: 'completed',
  method: 'POST',
  url: 'http://shop.test/admin/list.php?page=2&x=(1)',
  script: '/srv/www/admin/list.php',
  status: 503,
  appStatus: 0,
  protocolStatus: 'request-complete',
  sizeIn: 12,
  sizeOut: 1_500_000,
  stderrBytes: 0,
  ttfb: 250,
  total: 1_250.5,
  records: 30,
  problems: 0,
  findings: ['slow-request', 'large-answer'],
  severity: 'warning',
  waiting: null,
};

const EXCHANGE: Exchange = {
  n: 7,
  connection: 3,
  requestId: 1,
  client: { kind: 'tcp', host: '127.0.0.1', port: 40_000 },
  server: { kind: 'unix', path: '/run/php.sock' },
  role: 'responder',
  keepConnection: false,
  precedingRequests: 0,
  outcome: 'completed',
  waiting: null,
  times: { begin: 0, paramsEnd: null, stdinEnd: null, firstStdout: null, lastStdout: null, lastRecord: 0, end: null },
  params: [
    { name: 'SCRIPT_NAME', value: '/admin/list.php' },
    { name: 'CONTENT_LENGTH', value: '12' },
    { name: 'EMPTY', value: '' },
    { name: 'HTTP_X_QUOTE', value: 'a "b" c\nd' },
  ],
  paramsComplete: true,
  paramsSplit: false,
  method: 'POST',
  url: ROW.url,
  script: ROW.script,
  response: {
    status: 503,
    reason: '',
    headers: [
      { name: 'Content-Type', value: 'text/html' },
      { name: 'Set-Cookie', value: 'a=1' },
      { name: 'Set-Cookie', value: 'b=2' },
    ],
    complete: true,
    length: 40,
    invalidLines: [],
  },
  streams: { params: NO_STREAM, stdin: NO_STREAM, stdout: NO_STREAM, stderr: NO_STREAM, data: NO_STREAM },
  stderrHead: new Uint8Array(0),
  bodyHead: new Uint8Array(0),
  appStatus: 0,
  protocolStatus: 'request-complete',
  abortSeen: false,
  records: { total: 30, gaps: 0, problems: 0 },
  problems: [],
  connectionEnd: null,
  failure: null,
  findings: [],
};

type Bodies = Partial<Record<StreamName, readonly (string | Uint8Array)[]>>;

/** A subject that counts what is asked of it; slices are overwritten once they have been seen, as borrowed bytes are. */
function subjectOf(row: Partial<ExchangeRow> = {}, bodies: Bodies = {}, exchange: Exchange | null = EXCHANGE) {
  const asked = { exchange: 0, bodies: 0, slices: 0 };
  const subject: FilterSubject = {
    row: { ...ROW, ...row },
    exchange: async () => {
      asked.exchange++;
      return exchange;
    },
    async *body(stream) {
      asked.bodies++;
      for (const part of bodies[stream] ?? []) {
        asked.slices++;
        const slice = typeof part === 'string' ? new TextEncoder().encode(part) : part.slice();
        yield slice;
        slice.fill(0x2a);
      }
    },
  };
  return { subject, asked };
}

async function matches(text: string, row: Partial<ExchangeRow> = {}, bodies: Bodies = {}): Promise<boolean> {
  return parseFilter(text).test(subjectOf(row, bodies).subject);
}

function errorOf(text: string): FilterError {
  try {
    parseFilter(text);
  } catch (error) {
    if (error instanceof FilterError) return error;
    throw error;
  }
  throw new Error(`understood: ${text}`);
}

describe('filters that fit the request', () => {
  it.each([
    '',
    '  ',
    'status == 503',
    'status>=500',
    'status != 200',
    'not status == 200',
    '!(status == 200)',
    'STATUS >= 500 AND Method == POST',
    'status in {200 503 404}',
    'status in (200, 503)',
    'status in {500..599}',
    'status == 500..599',
    'conn == 3 and id == 1 and n < 8',
    'ttfb > 200ms',
    'ttfb <= 0.25s',
    'duration > 1200',
    'size.out > 1MB',
    'size.out < 1.5MiB',
    'size.in == 12',
    'size.in',
    'records and not problems',
    'url contains "page=2"',
    'url contains page=2&x',
    'url contains "(1)"',
    'path == /admin/list.php',
    'path matches ^/admin/.*[.]php$',
    'path matches "^/(admin|user)/\\w+\\.php$"',
    'path matches "(?i)^/ADMIN"',
    'script contains /srv/www',
    'outcome == completed',
    'outcome == COMPLETED',
    'outcome matches ^comp',
    'role in {authorizer responder}',
    'finding == slow-request',
    'finding contains large',
    'finding in {x large-answer}',
    'finding != x',
    'severity >= warning and severity < error',
    'param.SCRIPT_NAME == "/admin/list.php"',
    'param.script_name',
    'param."SCRIPT_NAME" contains admin',
    'param.CONTENT_LENGTH > 10',
    'param.CONTENT_LENGTH < 1kB',
    'not param.EMPTY',
    'param.EMPTY == ""',
    'not param.MISSING',
    'param.MISSING != ""',
    'param.HTTP_X_QUOTE == "a \\"b\\" c\\nd"',
    'param.HTTP_X_QUOTE contains \'a "b"\'',
    'header.content-type == text/html',
    'header.Set-Cookie == b=2',
    'header.Set-Cookie contains "a="',
    'client == 127.0.0.1:40000',
    'server == unix:/run/php.sock',
    'protocol.status == request-complete',
    'app.status == 0 and not app.status',
    'stdin',
    'stdin == "name=v"',
    'stdin contains "me=v"',
    'stdin matches "^name=."',
    'stdin in {"a" "name=v"}',
    'not stderr',
    'not stderr contains x',
    'status == 200 or (method == POST and not url contains "zzz")',
    'status == 200 || status == 503 && method == POST',
    'not status == 200 and status == 503',
  ])('%s', async (text) => {
    const bodies = { stdin: ['nam', 'e=', 'v'] };
    expect(await matches(text, {}, bodies)).toBe(true);
    expect(await matches(`not (${text.trim() || 'n'})`, {}, bodies)).toBe(false);
  });
});

describe('filters that do not fit the request', () => {
  it.each([
    'status < 500',
    'method == post',
    'header.Content-Type == TEXT/HTML',
    'param.MISSING contains ""',
    'param.SCRIPT_NAME > 1',
    'outcome == aborted',
    'severity == error',
    'status in {200..502 504..599}',
    'data',
    'stdin == "name"',
    'stdin == "name=v "',
    'stdout matches x',
    'size.out == 1.5MiB',
  ])('%s', async (text) => {
    expect(await matches(text, {}, { stdin: ['name=v'] })).toBe(false);
  });

  it('binds `and` tighter than `or`, and `not` tightest', async () => {
    expect(await matches('n == 7 or n == 1 and n == 2')).toBe(true);
    expect(await matches('(n == 7 or n == 1) and n == 2')).toBe(false);
    expect(await matches('not n == 1 and n == 2')).toBe(false);
  });

  it('takes what is absent for different from everything and for neither more nor less', async () => {
    const absent = { status: null, ttfb: null, method: null, url: null, outcome: null, severity: null, findings: [] };
    for (const text of [
      'status',
      'status < 1',
      'ttfb >= 0',
      'method',
      'url contains ""',
      'path',
      'outcome',
      'severity',
    ]) {
      expect(await matches(text, absent), text).toBe(false);
    }
    for (const text of ['status != 200', 'method != GET', 'severity != error', 'finding != x', 'not finding']) {
      expect(await matches(text, absent), text).toBe(true);
    }
  });
});

describe('what a filter costs', () => {
  it('says what it needs', () => {
    expect(parseFilter('status == 500 and url contains x').needs).toBe('row');
    expect(parseFilter('stdin and stderr').needs).toBe('row');
    expect(parseFilter('status == 500 or param.X').needs).toBe('exchange');
    expect(parseFilter('status == 500 or not (param.X and stdout contains x)').needs).toBe('bodies');
  });

  it('answers at once from the row', () => {
    expect(parseFilter('not (status == 200) and ttfb < 1s').test(subjectOf().subject)).toBe(true);
  });

  it('asks for the exchange once, and for bodies last', async () => {
    const { subject, asked } = subjectOf({ status: 200 }, { stdout: ['x'] });
    expect(
      await parseFilter('stdout contains x and param.SCRIPT_NAME and param.EMPTY == "" and status == 200').test(
        subject,
      ),
    ).toBe(true);
    expect(asked).toEqual({ exchange: 1, bodies: 1, slices: 1 });
    const other = subjectOf();
    expect(await parseFilter('stdout contains x and param.SCRIPT_NAME and status == 200').test(other.subject)).toBe(
      false,
    );
    expect(other.asked).toEqual({ exchange: 0, bodies: 0, slices: 0 });
  });

  it('does not read an empty stream', async () => {
    const { subject, asked } = subjectOf();
    expect(await parseFilter('stderr contains "PHP Fatal"').test(subject)).toBe(false);
    expect(asked.bodies).toBe(0);
  });

  it('leaves a body at the first place', async () => {
    const { subject, asked } = subjectOf({}, { stdout: ['abc', 'def', 'ghi', 'jkl'] });
    expect(await parseFilter('stdout contains "cd"').test(subject)).toBe(true);
    expect(asked.slices).toBe(2);
  });

  it('takes an evicted exchange for one without anything', async () => {
    const { subject } = subjectOf({}, {}, null);
    expect(await parseFilter('param.SCRIPT_NAME').test(subject)).toBe(false);
    expect(await parseFilter('param.SCRIPT_NAME != x').test(subject)).toBe(true);
  });
});

describe('bodies', () => {
  it('finds bytes however the stream is cut', async () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 60, max: 3 });
    await fc.assert(
      fc.asyncProperty(
        bytes,
        fc.uint8Array({ minLength: 1, maxLength: 6, max: 3 }),
        fc.array(fc.nat(60)),
        async (body, needle, cuts) => {
          const ends = [...cuts.filter((cut) => cut <= body.length), body.length].sort((a, b) => a - b);
          const slices = ends.map((end, at) => body.slice(at === 0 ? 0 : ends[at - 1]!, end));
          const literal = [...needle].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
          const found = Buffer.from(body).indexOf(needle) >= 0;
          expect(await matches(`stdout contains "${literal}"`, {}, { stdout: slices })).toBe(found);
          expect(await matches(`stdout == "${literal}"`, {}, { stdout: slices })).toBe(
            Buffer.compare(body, needle) === 0,
          );
        },
      ),
    );
  });

  it('looks for bytes that are no text, and for text as UTF-8', async () => {
    const stdout = [Uint8Array.of(0x00, 0xff), Uint8Array.of(0xfe, 0xc3), Uint8Array.of(0xa9)];
    expect(await matches('stdout contains "\\xff\\xfe"', {}, { stdout })).toBe(true);
    expect(await matches('stdout contains é', {}, { stdout })).toBe(true);
    expect(await matches('stdout contains "\\u00e9"', {}, { stdout })).toBe(true);
    expect(await matches('stdout contains "\\u{e9}x"', {}, { stdout })).toBe(false);
  });

  it('matches a regular expression against the beginning only', async () => {
    const filler = new Uint8Array(MATCHED_BYTES - 3).fill(0x61);
    expect(await matches('stdout matches "a{3}end"', {}, { stdout: [filler, 'end'] })).toBe(true);
    expect(await matches('stdout matches "a{3}endx"', {}, { stdout: [filler, 'endx'] })).toBe(false);
    expect(await matches('stdout matches "aé.?$"', {}, { stdout: [filler, 'é', 'é'] })).toBe(true);
  });
});

describe('what is wrong is said with its place', () => {
  it.each([
    ['status ==', 'a value is expected after "==", but the filter ends', 9],
    ['status = 200', '"=" is not an operator: == compares', 7],
    ['status === 200', '"===" is not an operator', 7],
    ['url ~ x', '"~" is not an operator: "matches" takes a regular expression', 4],
    ['stauts == 200', 'there is no field "stauts"; is "status" meant?', 0],
    ['bogusfield', 'there is no field "bogusfield"', 0],
    ['status == abc', 'status takes a whole number', 10],
    ['ttfb > 5parsecs', 'ttfb takes a time, like 200ms or 1.5s (without a unit: ms)', 7],
    ['size.out > big', 'size.out takes a number or a size, like 512, 64kB or 1MiB', 11],
    ['status contains 5', 'status is a number: it compares with == != < <= > >= and in', 7],
    ['url > 5', 'url is text: it compares with == != contains matches and in', 4],
    ['stdout > 5', 'stdout is bytes: they have no order; size.in, size.out and size.err have', 7],
    ['outcome == complete', 'outcome is never that; it is one of completed, rejected,', 11],
    ['severity > bad', 'severity is never that; it is one of note, warning, error', 11],
    ['(status == 200', 'this parenthesis is never closed', 0],
    ['status == 200)', 'this parenthesis was never opened', 13],
    ['url contains "abc', 'this string is never closed', 13],
    ['url contains "a\\', 'this string is never closed', 13],
    ['url contains "a\\q"', 'this escape is not known', 15],
    ['url contains "\\u{110000}"', 'there is no such character', 14],
    ['url contains a b', '"and", "or" or the end is expected here', 15],
    ['status == 200 and', 'a field is expected here, but the filter ends', 17],
    ['status == 200 and or', 'a field is expected here, not the word "or"', 18],
    ['url == and', 'a value is expected after "==", not the word "and"', 7],
    ['status in 200', 'a set is expected after "in": {200 404}', 10],
    ['status in {200', 'this set is never closed', 10],
    ['status in {}', 'the set is empty', 10],
    ['status in {5..3}', 'the range is empty', 11],
    ['status > 3..5', 'a range has no order', 9],
    ['param == x', 'a name is missing: param.SCRIPT_NAME', 0],
    ['header.', 'a name is missing: header.Location', 0],
    ['url matches "a("', 'the regular expression is wrong: ', 12],
    ['not', 'a field is expected here, but the filter ends', 3],
    ['"x" == url', 'a field is expected here', 0],
  ])('%s', (text, complaint, at) => {
    const error = errorOf(text);
    expect(error).toBeInstanceOf(FcgiInspectError);
    expect(error.code).toBe('bad-filter');
    expect(error.complaint).toContain(complaint);
    expect(error.span.at).toBe(at);
    expect(error.message).toContain(at >= text.length ? 'at the end' : `at character ${at + 1}`);
  });

  it('draws carets under the place', () => {
    expect(filterErrorPicture(errorOf('status == abc and n'))).toBe('status == abc and n\n          ^^^');
    expect(filterErrorPicture(errorOf('status =='))).toBe('status ==\n         ^');
  });

  it('cuts a long filter around the place, and draws nothing hostile', () => {
    const text = `${'n == 1 and '.repeat(40)}\u001b[2J == 3${' and n == 2'.repeat(40)}`;
    const [drawn, carets] = filterErrorPicture(errorOf(text)).split('\n');
    expect(drawn!.length).toBeLessThanOrEqual(80);
    expect(drawn).toMatch(/^[ -~·…]*$/);
    expect(drawn![carets!.indexOf('^')]).toBe('·');
  });

  it('names all fields when one is not known', () => {
    expect(errorOf('x').advice).toContain('param.NAME');
  });
});

describe('hostile filters', () => {
  const pieces = fc.constantFrom(
    ...FIELDS.map((field) => field.name),
    ...[
      'and',
      'or',
      'not',
      'in',
      'contains',
      'matches',
      '(',
      ')',
      '{',
      '}',
      ',',
      '"',
      "'",
      '\\',
      '!',
      '&&',
      '||',
      '..',
    ],
    ...['==', '!=', '<', '<=', '>', '>=', '1', '200ms', '1MB', '"a"', '"\\x', 'a', ' ', '\n', '=', '.', '*', '+', '['],
  );
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join(' ')),
    fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
  );

  it('throw an FcgiInspectError and nothing else, and print to what reads back the same', async () => {
    let understood = 0;
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        let filter: ReturnType<typeof parseFilter>;
        try {
          filter = parseFilter(text);
        } catch (error) {
          expect(error).toBeInstanceOf(FilterError);
          expect(filterErrorPicture(error as FilterError).split('\n')).toHaveLength(2);
          return;
        }
        understood++;
        const again = parseFilter(filter.canonical);
        expect(again.canonical).toBe(filter.canonical);
        expect(again.needs).toBe(filter.needs);
        expect(await again.test(subjectOf().subject)).toBe(await filter.test(subjectOf().subject));
      }),
      { numRuns: 3_000 },
    );
    expect(understood).toBeGreaterThan(20);
  });

  it('may be deep or long, up to a limit', () => {
    expect(parseFilter(`${'('.repeat(90)}n${')'.repeat(90)}`).canonical).toBe('n');
    expect(errorOf('('.repeat(5_000)).complaint).toContain('nested');
    expect(errorOf('not '.repeat(4_000)).complaint).toContain('nested');
    expect(errorOf(`n == ${'1'.repeat(20_000)}`).complaint).toContain('longer than');
    expect(parseFilter(Array.from({ length: 1_500 }, () => 'n == 1').join(' or ')).test(subjectOf().subject)).toBe(
      false,
    );
  });
});

describe('random filters on random rows', () => {
  const leaf = fc.oneof(
    fc.tuple(
      fc.constantFrom('status', 'n', 'size.out', 'ttfb'),
      fc.constantFrom('==', '!=', '<', '<=', '>', '>='),
      fc.nat(4),
    ),
    fc.tuple(
      fc.constantFrom('method', 'url', 'finding'),
      fc.constantFrom('==', '!=', 'contains'),
      fc.constantFrom('a', '"b c"', '"\\""'),
    ),
    fc.tuple(
      fc.constantFrom('param.X', 'header."a b"'),
      fc.constantFrom('==', 'contains'),
      fc.constantFrom('a', '"\\xff"'),
    ),
  );
  const expression = fc.letrec<{ any: string }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      leaf.map((parts) => parts.join(' ')),
      fc.tuple(tie('any'), fc.constantFrom('and', 'or'), tie('any')).map(([a, word, b]) => `(${a}) ${word} (${b})`),
      tie('any').map((inner) => `not (${inner})`),
    ),
  })).any;
  const row = fc.record({
    status: fc.option(fc.nat(4)),
    n: fc.nat(4),
    sizeOut: fc.nat(4),
    ttfb: fc.option(fc.nat(4)),
    method: fc.option(fc.constantFrom('a', 'b c', '"')),
    url: fc.option(fc.constantFrom('a', 'xb cx', '"')),
    findings: fc.array(fc.constantFrom('a', 'b c')),
  });

  it('not not x is x, x and not x is never, printing keeps the meaning', async () => {
    await fc.assert(
      fc.asyncProperty(expression, row, async (text, values) => {
        const result = await matches(text, values);
        expect(await matches(`not not (${text})`, values)).toBe(result);
        expect(await matches(`not (${text})`, values)).toBe(!result);
        expect(await matches(`(${text}) and not (${text})`, values)).toBe(false);
        expect(await matches(parseFilter(text).canonical, values)).toBe(result);
      }),
    );
  });

  it('obeys De Morgan', async () => {
    await fc.assert(
      fc.asyncProperty(expression, expression, row, async (a, b, values) => {
        const both = await matches(`not ((${a}) and (${b}))`, values);
        expect(await matches(`not (${a}) or not (${b})`, values)).toBe(both);
      }),
    );
  });
});

it('every field has a name, a type and a help line of its own, and can be asked for bare', async () => {
  expect(new Set(FIELDS.map((field) => field.name)).size).toBe(FIELDS.length);
  for (const field of FIELDS) {
    expect(field.help).not.toBe('');
    expect(typeof (await matches(field.name))).toBe('boolean');
  }
});
