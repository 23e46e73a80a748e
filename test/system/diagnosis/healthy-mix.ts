import type { HttpRequest } from '../../support/real/http.js';

/** What visitors of ordinary applications ask for, and the status that healthy.php answers with. None of it is a failure. */
export interface Visit extends Omit<HttpRequest, 'port' | 'agent'> {
  readonly status: number;
}

const UPLOAD_BYTES = 300 * 1024;
const BOUNDARY = 'BoundaryOfTheTests7MA4YWxkTrZu0gW';
const MEMBER = `Basic ${Buffer.from('ann:a secret').toString('base64')}`;

const BROWSER = {
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'accept-language': 'de-CH,de;q=0.8,en;q=0.5',
  'accept-encoding': 'gzip, deflate, br',
  'cache-control': 'no-cache',
  dnt: '1',
};

const visit = (query: string, status = 200, more: Partial<Visit> = {}): Visit => ({
  path: `/healthy.php?${query}`,
  status,
  ...more,
  headers: { ...BROWSER, ...more.headers },
});

const form = (fields: string): Partial<Visit> => ({
  body: fields,
  headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'http://localhost' },
});

const json = (value: unknown): Partial<Visit> => ({
  body: JSON.stringify(value),
  headers: { 'content-type': 'application/json', accept: 'application/json' },
});

/** Every visit once; what is said of them beside the status is what makes each worth its place here. */
export const VISITS: readonly Visit[] = [
  visit('do=page'),
  visit('do=page&bytes=40000'),
  visit('do=page&bytes=300000'),
  visit('do=headers', 200, { headers: { referer: 'http://localhost/healthy.php?do=page', 'x-request-id': '7f3a' } }),
  visit('do=page&proxied', 200, {
    headers: { 'x-forwarded-for': '198.51.100.7, 10.0.0.3', 'x-forwarded-proto': 'https', 'x-real-ip': '198.51.100.7' },
  }),
  // Characters that a query may have (RFC 3986 section 3.4), and octets that it may have encoded.
  visit("do=page&a=it's&b=(1)*2!~$;,:@/?&c[]=1&c[]=2&d=%C3%A4+%E2%82%AC&e=%26%3D%23%25&f=&g&h=../up&i=%5Cback&&"),
  visit(`do=page&text=first+line%0D%0Asecond+line&tab=%09&long=${'x'.repeat(2_000)}`),
  visit('do=page&next=http%3A%2F%2Flocalhost%2Fhealthy.php%3Fdo%3Dpage&passwordless=1&proxy=none'),
  visit('do=form&from=query', 200, form('name=J%C3%BCrgen&note=a+b&empty=&list%5B%5D=1&list%5B%5D=2')),
  visit('do=after-post', 303, form('sent=1')),
  visit('do=form', 200, { method: 'POST', headers: { 'content-length': '0' } }),
  visit('do=form', 200, { body: upload(), headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` } }),
  visit('do=json', 200, { headers: { accept: 'application/json', 'x-requested-with': 'XMLHttpRequest' } }),
  visit('do=json', 200, json({ text: 'ä\u0000€', list: [1, null, true] })),
  visit('do=json', 200, { ...json({ whole: true }), method: 'PUT' }),
  visit('do=json', 200, { ...json([{ op: 'test' }]), method: 'PATCH' }),
  visit('do=invalid', 422, json({ wrong: true })),
  visit('do=gone', 204, { method: 'DELETE' }),
  visit('do=redirect', 302),
  visit('do=etag'),
  visit('do=etag', 304, { headers: { 'if-none-match': '"v1"' } }),
  visit('do=etag', 304, { method: 'HEAD', headers: { 'if-none-match': '"v1"' } }),
  visit('do=page', 200, { method: 'HEAD' }),
  visit('do=length', 200, { method: 'HEAD' }),
  visit('do=gzip', 200, { method: 'HEAD' }),
  visit('do=missing', 404),
  visit('do=missing', 404, { method: 'HEAD' }),
  visit('do=gzip'),
  visit('do=length'),
  visit('do=range', 206, { headers: { range: 'bytes=100-199' } }),
  visit('do=download'),
  visit('do=image', 200, { headers: { accept: 'image/avif,image/webp,*/*' } }),
  visit('do=feed'),
  visit('do=text'),
  visit('do=stream', 200, { headers: { accept: 'text/event-stream' } }),
  visit('do=cookies'),
  visit('do=cookies', 200, {
    headers: { cookie: `session=${'0123456789abcdef'.repeat(2)}; theme=dark; _ga=GA1.1.2.3` },
  }),
  visit('do=member', 401),
  visit('do=member', 200, { headers: { authorization: MEMBER } }),
  visit('do=pixel', 200, { body: 'seen', headers: { 'content-type': 'text/plain;charset=UTF-8' } }),
  visit('do=pixel'),
  visit('do=form', 200, {
    method: 'OPTIONS',
    headers: { 'access-control-request-method': 'POST', origin: 'http://localhost' },
  }),
];

/** Slow enough for the program to ask what went on around it, and nothing that visitors would complain of. */
export const SLOW_VISIT: Visit = visit('do=slow');

function upload(): Uint8Array {
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="b.bin"\r\nContent-Type: application/octet-stream\r\n\r\n`;
  return Buffer.concat([
    Buffer.from(head),
    Buffer.from(Array.from({ length: UPLOAD_BYTES }, (_, i) => (i * 31) & 0xff)),
    Buffer.from(`\r\n--${BOUNDARY}--\r\n`),
  ]);
}
