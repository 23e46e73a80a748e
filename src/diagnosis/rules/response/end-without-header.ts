import { formatBytes } from '../../../model/quantity.js';
import { NO_HEADER, reactionWords } from '../../reactions.js';
import { defineRule } from '../../rule.js';

export const endWithoutHeader = defineRule({
  id: 'end-without-header',
  severity: 'error',
  title: 'The request ended without a response',
  meaning:
    'The application told the web server that the request is done and that all is well, but it printed nothing: no header, no page. The web server has nothing to pass on, and answers in its own name.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: [
      'Let the application answer every request, also one that fails: "Status: 500 Internal Server Error", an empty line, a word.',
      'Perl: die and exit inside the request loop end like this; put the request’s work into eval { } and print an error page.',
    ],
    libfcgi: ['Every round of the FCGI_Accept loop must print a header before the next FCGI_Accept or FCGI_Finish.'],
    apache: ['mod_proxy_fcgi passes this on as an empty 200: do not trust it in health checks.'],
  },
  alternatives: [
    {
      cause: 'The program died or called exit inside the request.',
      tell: 'The last words are on STDERR or in its log.',
    },
    { cause: 'A wrapper (fcgiwrap) whose CGI program was killed.', tell: 'dmesg or the journal tells of the kill.' },
    { cause: 'The application has no branch for this URL or method and prints nothing.', tell: 'Other URLs answer.' },
  ],
  look: [
    'nginx’s error log: "upstream sent unexpected FastCGI record: 3" or "upstream prematurely closed FastCGI stdout"; mod_fcgid’s: "End of script output before headers"; Caddy’s: EOF. lighttpd says nothing.',
    'The application’s own log: journalctl -u SERVICE.',
  ],
  needs: ['status'],
  absence: 'server',
  seen: [
    'nginx → libfcgi',
    'lighttpd → libfcgi',
    'Apache mod_proxy_fcgi → libfcgi',
    'Caddy → libfcgi',
    'HAProxy → libfcgi',
    'nginx → Perl FCGI',
  ],
  check(exchange) {
    const { outcome, streams, role, appStatus } = exchange;
    // Of a request that was met under way the response may have passed before.
    if (streams.stdout.bytes > 0 || outcome !== 'completed' || streams.stdout.missing > 0 || role === 'unknown')
      return null;
    const said = streams.stderr.bytes === 0 ? '' : `, only ${formatBytes(streams.stderr.bytes)} of STDERR`;
    const app = appStatus === 0 ? '' : ` (app status ${appStatus})`;
    return {
      detail: `END_REQUEST came${app}, and before it no byte of STDOUT${said}. ${reactionWords(exchange, NO_HEADER)}`,
      evidence: [{ kind: 'bytes', stream: 'stdout', offset: 0, length: 0 }],
    };
  },
});
