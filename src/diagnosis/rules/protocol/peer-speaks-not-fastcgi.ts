import type { Problem } from '../../../model/exchange.js';
import { isLostByGap } from '../../blind-spots.js';
import { defineRule } from '../../rule.js';

export const peerSpeaksNotFastcgi = defineRule({
  id: 'peer-speaks-not-fastcgi',
  severity: 'error',
  title: 'Something that does not speak FastCGI connects to the FastCGI port',
  meaning:
    'A FastCGI application waits for a web server that speaks FastCGI. What connected speaks something else: a browser, a health check, a load balancer, or a web server with the wrong directive. The application hangs up.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: [
      'Let health checks ask the web server’s HTTP port, or check the FastCGI port by a TCP connection only (cgi-fcgi asks properly).',
    ],
    nginx: ['fastcgi_pass HOST:PORT; for this port, not proxy_pass, grpc_pass, uwsgi_pass or scgi_pass.'],
    lighttpd: ['fastcgi.server for this port, not proxy.server, scgi.server or uwsgi.server.'],
    apache: [
      'ProxyPass or SetHandler "proxy:fcgi://HOST:PORT" for this port, not http://, ajp://, scgi:// or uwsgi://.',
    ],
    caddy: ['php_fastcgi HOST:PORT, or reverse_proxy with transport fastcgi.'],
    haproxy: ['proto fcgi on the server line and use-fcgi-app in the backend; no send-proxy on that line.'],
  },
  look: [
    'The client’s address: which host it is, and what runs there.',
    'nginx’s error log for proxy_pass to such a port: "upstream prematurely closed connection" or "recv() failed (104: Connection reset by peer)".',
  ],
  needs: ['problems'],
  seen: ['curl → PHP-FPM'],
  check(exchange) {
    const { records, problems } = exchange;
    if (records.problems === 0) return null;
    const problem = problems.find((one) => isForeign(one, records.gaps));
    if (problem === undefined) return null;
    const answers = problems.some(({ code, side }) => code === 'foreign-protocol' && side === 'server');
    const both = answers ? ' And so does what answers: this port is no FastCGI port at all.' : '';
    return {
      detail: `${sentence(problem.message)}.${both}`,
      advice: answers ? [NOT_THE_PORT] : adviceFor(problem.message),
    };
  },
});

/** Named, or from the very first byte on nothing that could be a record. */
function isForeign(problem: Problem, gaps: number): boolean {
  const { code, side, offset } = problem;
  if (side !== 'client' || isLostByGap(problem)) return false;
  return code === 'foreign-protocol' || (code === 'lost-framing' && offset === 0 && gaps === 0);
}

const NOT_THE_PORT =
  'Name the port on which FastCGI is spoken (--port of a capture, --listen and --upstream of the proxy).';

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /an HTTP/,
    'HTTP comes from proxy_pass, from a browser, or from a health check or ingress: let them use the web server’s port.',
  ],
  [
    /a TLS record/,
    'TLS comes from https:// or a load balancer that encrypts: FastCGI has no TLS, use a plain connection or a tunnel at both ends.',
  ],
  [/a uwsgi request/, 'uwsgi is another protocol than FastCGI: fastcgi_pass in place of uwsgi_pass.'],
  [/an SCGI request/, 'SCGI is another protocol than FastCGI: fastcgi_pass in place of scgi_pass.'],
  [/an AJP packet/, 'AJP is Tomcat’s protocol: fcgi:// in place of ajp:// in ProxyPass.'],
  [
    /a PROXY protocol/,
    'Switch the PROXY protocol off where the connection comes from (HAProxy: send-proxy; nginx stream: proxy_protocol on).',
  ],
];

function adviceFor(message: string): readonly string[] {
  const found = ADVICE.find(([pattern]) => pattern.test(message));
  return found === undefined ? [] : [found[1]];
}

function sentence(message: string): string {
  return message.charAt(0).toUpperCase() + message.slice(1);
}
