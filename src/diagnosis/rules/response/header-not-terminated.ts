import { reactionWords } from '../../reactions.js';
import { defineRule } from '../../rule.js';

export const headerNotTerminated = defineRule({
  id: 'header-not-terminated',
  severity: 'error',
  title: 'The response’s headers have no end',
  meaning:
    'An empty line ends the headers of a response; the page follows it. Here the application said that it was done, and that line had not come: web servers do not know what is header and what is page.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: [
      'Print an empty line (\\r\\n, or \\n) after the last header, before the page, also when there is no page.',
      'End lines with \\r\\n or \\n: a \\r alone ends none.',
    ],
    libfcgi: ['End the header with "\\r\\n\\r\\n" in the first FCGX_FPrintF or printf of each round.'],
  },
  alternatives: [
    {
      cause: 'The program prints a page and no headers at all.',
      tell: 'The Stdout tab shows the beginning of a page, not of headers.',
    },
    {
      cause: 'The program stopped (exit, die, an exception) after its first headers.',
      tell: 'Its message is in the Stderr tab or in its own log.',
    },
  ],
  look: [
    'nginx’s error log: "upstream prematurely closed FastCGI stdout while reading response header from upstream"; mod_fcgid’s: "Premature end of script headers"; Caddy’s: "fcgi: invalid header version" or EOF.',
    'The Stdout tab: what came.',
  ],
  needs: ['status'],
  absence: 'server',
  seen: [
    'nginx → libfcgi',
    'lighttpd → libfcgi',
    'Apache mod_proxy_fcgi → libfcgi',
    'Caddy → libfcgi',
    'HAProxy → libfcgi',
  ],
  check(exchange) {
    const { outcome, response, streams } = exchange;
    if (response === null || response.complete || outcome !== 'completed' || streams.stdout.missing > 0) return null;
    const bare = response.headers.some(({ value }) => value.includes('\r'));
    const cr = bare ? ' Lines end with \\r alone.' : '';
    return {
      detail: `${response.length} bytes of STDOUT and then END_REQUEST, with no empty line between.${cr} ${reactionWords(exchange, REACTIONS)}`,
      evidence: [{ kind: 'bytes', stream: 'stdout', offset: response.length, length: 0 }],
    };
  },
});

const REACTIONS = {
  nginx: 'answers 502',
  lighttpd: 'answers 500',
  apache: 'answers 200 with the headers as the page, or without one (mod_proxy_fcgi), or 500 (mod_fcgid)',
  caddy: 'answers 502',
  haproxy: '2.6 may crash on it',
  h2o: 'answers 503',
};
