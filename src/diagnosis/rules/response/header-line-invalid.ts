import type { Exchange, ResponseHead } from '../../../model/exchange.js';
import { visibleText } from '../../../model/visible-text.js';
import { type Reactions, reactionWords } from '../../reactions.js';
import { defineRule } from '../../rule.js';

export const headerLineInvalid = defineRule({
  id: 'header-line-invalid',
  severity: 'error',
  title: 'The response does not begin with headers',
  meaning:
    'Before the page a FastCGI application prints headers, one "Name: value" a line, and an empty line. Here something else stands among them, so most web servers throw the response away and answer 502 or 500.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: ['Print "Content-Type: text/html", an end of line and an empty line before anything else.'],
    php: ['Run the script by PHP-FPM or php-cgi, which print the headers themselves; the php command line does not.'],
    libfcgi: ['Print the header first in each round of the FCGI_Accept loop, debug output to stderr.'],
  },
  look: [
    'nginx’s error log: "upstream sent invalid header"; Apache’s: "malformed header from script" and AH01070; Caddy’s: "malformed MIME header: missing colon". lighttpd says nothing.',
    'The Stdout tab: how the response begins.',
  ],
  needs: ['headers'],
  absence: 'server',
  seen: [
    'nginx → libfcgi',
    'lighttpd → libfcgi',
    'Apache mod_proxy_fcgi → libfcgi',
    'Caddy → libfcgi',
    'HAProxy → libfcgi',
  ],
  check(exchange) {
    const { response, streams } = exchange;
    if (response === null || response.invalidLines.length === 0) return null;
    const line = response.invalidLines[0]!;
    if (!isEvidence(exchange, response, line) || streams.stdout.missing > 0) return null;
    const kind = kindOf(line);
    return {
      detail: `${kind.words}: "${visibleText(line, SHOWN)}" is no "Name: value". ${reactionWords(exchange, reactionsTo(response, kind))}`,
      advice: kind.advice,
      evidence: [{ kind: 'bytes', stream: 'stdout', offset: 0, length: response.length }],
    };
  },
});

const SHOWN = 80;

const REACTIONS = {
  nginx: 'answers 502, or passes the rest on with its beginning cut off when the line has no blank in it',
  lighttpd: 'answers 502',
  apache: 'answers 500',
  caddy: 'answers 502',
  haproxy: 'answers 502',
  h2o: 'answers 503',
};
/** Nothing ends the block. */
const WITHOUT_END = {
  nginx: 'answers 502',
  lighttpd: 'answers 500',
  apache: 'answers 200 with it as the page (mod_proxy_fcgi), or 500 (mod_fcgid)',
  caddy: 'answers 502',
  haproxy: '2.6 crashes on it',
  h2o: 'answers 503',
};
/** A blank between name and colon. */
const BLANK_BEHIND_NAME = {
  nginx: 'answers 502',
  lighttpd: 'tolerates it',
  apache: 'answers 500',
  caddy: 'tolerates it',
  haproxy: 'tolerates it',
  h2o: 'answers 503',
};

function reactionsTo({ complete }: ResponseHead, kind: Kind): Reactions {
  return complete ? (kind.reactions ?? REACTIONS) : WITHOUT_END;
}

/** Of a block that was cut off the last line may be the beginning of a good one, as long as it could be a name. */
function isEvidence({ outcome }: Exchange, response: ResponseHead, line: string): boolean {
  return (
    response.complete ||
    outcome === 'completed' ||
    response.invalidLines.length > 1 ||
    !/^[\w!#$%&'*+.^`|~-]*$/.test(line)
  );
}

interface Kind {
  readonly pattern: RegExp;
  readonly words: string;
  readonly advice: readonly string[];
  readonly reactions?: Reactions;
}

const KINDS: readonly Kind[] = [
  {
    pattern: /^(?:\\ufeff|ï»¿)/,
    words: 'A byte order mark stands before the headers',
    advice: ['Save the script as UTF-8 without a byte order mark: grep -rlP "^\\xEF\\xBB\\xBF" finds such files.'],
  },
  {
    pattern: /^(?:<\?php|#!)/,
    words: 'The script’s source stands where its headers should',
    advice: ['The script is printed, not run: it is given to the wrong interpreter, or is not executable.'],
  },
  {
    pattern:
      /^(?:PHP )?(?:Warning|Notice|Deprecated|Fatal error|Parse error): |^PHP (?:Warning|Notice|Deprecated|Fatal|Parse)/,
    words: 'A PHP message stands before the headers',
    advice: ['display_errors = Off and log_errors = On in php.ini; mend what the message names.'],
  },
  {
    pattern: /^(?:Traceback| {2}File |panic:|Exception|\s+at |Segmentation|Error: )/,
    words: 'An error message of the program stands where its headers should',
    advice: ['Mend what the message says, and let such messages go to stderr.'],
  },
  { pattern: /^\s*</, words: 'The page begins without headers', advice: [] },
  { pattern: /^\s*[{[]/, words: 'JSON begins without headers', advice: [] },
  {
    pattern: /^[\w-]+\s+:/,
    words: 'A header’s name has a blank behind it',
    advice: ['Remove the blank before the colon: lighttpd, HAProxy and Caddy tolerate it, the others do not.'],
    reactions: BLANK_BEHIND_NAME,
  },
  {
    pattern: /^\s/,
    words: 'The first header line begins with a blank',
    advice: ['Remove the white space before the first header.'],
  },
];
const OTHER: Kind = { pattern: /(?:)/, words: 'A line among the headers is none', advice: [] };

function kindOf(line: string): Kind {
  return KINDS.find(({ pattern }) => pattern.test(line)) ?? OTHER;
}
