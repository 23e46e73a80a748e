import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Endpoint } from '../../../src/model/connection.js';
import { formatEndpoint } from '../../../src/model/connection.js';
import { type HttpRequest, http } from '../../support/real/http.js';
import { listening } from '../../support/real/listening.js';
import { PacketCapture } from '../../support/real/packet-capture.js';
import { startPhpFpm } from '../../support/real/php.js';
import { commandOf } from '../../support/real/requirements.js';
import { Workspace } from '../../support/real/workspace.js';
import { generator } from './generator.js';

/**
 * Records what nginx and PHP-FPM say to each other while a browser looks around in a shop: `traffic.ts DIRECTORY MTU…`. One capture for
 * each MTU of the loopback interface (0: as it is), which is changed only when one is asked for: the caller then has given us a network
 * of our own. Prints the names of the captures, a line each.
 */
const REQUESTS = 300;
const ROOT = fileURLToPath(new URL('www', import.meta.url));
/** In each URL and cookie, for the copies to differ by: they put a number in its place. */
export const SERIAL = 'sErIaL00';
/** How many requests nginx makes on a kept connection. */
const KEPT_REQUESTS = 12;

const BROWSER = {
  host: 'shop.example.test',
  'user-agent':
    'Mozilla/5.0 (Linux; Android 14; SM-S921B Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/138.0.7204.63 Mobile Safari/537.36 ShopApp/7.12.3',
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8',
  'accept-language': 'de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7',
  'accept-encoding': 'gzip, deflate, br, zstd',
  'sec-ch-ua': '"Not)A;Brand";v="8", "Chromium";v="138", "Android WebView";v="138"',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-site': 'same-origin',
  'upgrade-insecure-requests': '1',
  referer: 'https://shop.example.test/page/shirts?sort=price&order=ascending',
  cookie: `consent=all; _ga=GA1.2.1234567890.1700000000; serial=${SERIAL}; session=0123456789abcdef0123456789abcdef; basket=eyJpdGVtcyI6WzEsMiwzXX0`,
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [directory, ...mtus] = process.argv.slice(2);
  for (const mtu of mtus) console.log(await record(directory!, Number(mtu)));
}

async function record(directory: string, mtu: number): Promise<string> {
  if (mtu > 0) {
    // Without gso_max_segs the kernel would hand over segments of 64 KiB all the same, as a card's driver gets them.
    const settings = ['up', 'mtu', String(mtu), 'gso_max_segs', mtu < 65_536 ? '1' : '65535'];
    const { status, stderr } = spawnSync('ip', ['link', 'set', 'lo', ...settings], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`ip link set lo ${settings.join(' ')}: ${stderr}`);
  }
  const workspace = new Workspace();
  try {
    const backend = await workspace.address('tcp', 'php');
    if (backend.kind !== 'tcp') throw new Error('a capture has TCP');
    await startPhpFpm(workspace, backend);
    const [apart, kept] = [await workspace.address('tcp', 'apart'), await workspace.address('tcp', 'kept')];
    const nginx = await startNginx(workspace, backend, [apart, kept]);
    const capture = await PacketCapture.start(workspace, backend.port);
    for (const site of [apart, kept]) {
      if (site.kind !== 'tcp') continue;
      for (const request of visits()) {
        const { status } = await http({ port: site.port, ...request });
        if (status === null || status >= 500) throw new Error(`${request.path} was answered with ${status}`);
      }
    }
    await nginx.stop();
    await capture.stop();
    const file = join(directory, `traffic-${mtu}.pcap`);
    copyFileSync(capture.file, file);
    return file;
  } finally {
    await workspace.close();
  }
}

/** What a browser asks for, in the same order each time. */
function visits(): Omit<HttpRequest, 'port'>[] {
  const random = generator(1);
  const between = (low: number, high: number) => Math.floor(low + random() * (high - low));
  return Array.from({ length: REQUESTS }, (_, number): Omit<HttpRequest, 'port'> => {
    const query = `serial=${SERIAL}&from=${number}`;
    const kind = number % 100;
    const get = (path: string, headers: Readonly<Record<string, string>> = {}) => ({
      path,
      headers: { ...BROWSER, ...headers },
    });
    if (kind === 50) return upload(`/upload?${query}`, between(50_000, 110_000));
    if (kind % 20 === 7) return get(`/old?${query}`);
    if (kind % 20 === 11) return get(`/no-such-page/${number}?${query}&size=${between(500, 3_000)}`);
    if (kind % 25 === 13) return get(`/warning?${query}&size=${between(2_000, 20_000)}`);
    if (kind % 8 === 3) return form(`/basket?${query}`, between(3, 40));
    if (kind % 3 === 1) {
      const fetched = { accept: 'application/json', 'x-requested-with': 'XMLHttpRequest', 'sec-fetch-mode': 'cors' };
      return get(`/api/items/${number}?${query}&size=${between(200, 2_500)}`, fetched);
    }
    return get(`/page/category-${number % 17}/${number}?${query}&size=${between(2_000, 58_000)}`);
  });
}

function form(path: string, fields: number): Omit<HttpRequest, 'port'> {
  const body = Array.from({ length: fields }, (_, field) => `field-${field}=${'value+'.repeat(3)}${field * 37}`).join(
    '&',
  );
  return {
    path,
    method: 'POST',
    body,
    headers: {
      ...BROWSER,
      'content-type': 'application/x-www-form-urlencoded',
      origin: 'https://shop.example.test',
    },
  };
}

function upload(path: string, size: number): Omit<HttpRequest, 'port'> {
  const boundary = '----WebKitFormBoundary7MA4YWxkTrZu0gW';
  const random = generator(size);
  const picture = Buffer.from(Array.from({ length: size }, () => Math.floor(random() * 256)));
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="picture"; filename="picture.jpg"\r\nContent-Type: image/jpeg\r\n\r\n`;
  return {
    path,
    method: 'POST',
    body: Buffer.concat([Buffer.from(head), picture, Buffer.from(`\r\n--${boundary}--\r\n`)]),
    headers: { ...BROWSER, 'content-type': `multipart/form-data; boundary=${boundary}` },
  };
}

/** The first of `sites` gives a connection to each request, the second keeps them. Everything goes to index.php. */
function startNginx(workspace: Workspace, backend: Endpoint, sites: readonly Endpoint[]) {
  const prefix = workspace.directory;
  const temporary = ['client_body', 'fastcgi', 'proxy', 'uwsgi', 'scgi']
    .map((each) => `${each}_temp_path ${prefix}/${each};`)
    .join(' ');
  const servers = sites.map((site, kept) => {
    const to = kept ? 'kept; fastcgi_keep_conn on' : formatEndpoint(backend);
    return `server {
    listen ${formatEndpoint(site)};
    root ${ROOT};
    location / { fastcgi_pass ${to}; include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME $document_root/index.php; }
  }`;
  });
  const configuration = workspace.write(
    'nginx.conf',
    `user root; daemon off; worker_processes 1; pid ${prefix}/pid; error_log ${prefix}/error.log error;
events { worker_connections 256; }
http {
  access_log off; client_max_body_size 8m; ${temporary}
  upstream kept { server ${formatEndpoint(backend)} max_fails=0; keepalive 4; keepalive_requests ${KEPT_REQUESTS}; }
  ${servers.join('\n  ')}
}
`,
  );
  return workspace.start({
    name: 'nginx',
    command: commandOf('nginx'),
    args: ['-e', `${prefix}/error.log`, '-p', prefix, '-c', configuration],
    ready: () => sites.every((site) => listening(site)),
    stopSignal: 'SIGTERM',
    log: () => workspace.read('error.log'),
  });
}
