import type { Exchange } from '../../../model/exchange.js';
import type { Alternative } from '../../../model/finding.js';
import { visibleText } from '../../../model/visible-text.js';
import { bodyBegins } from '../../body-head.js';
import { defineRule, type Sighting } from '../../rule.js';
import { stderrText } from '../../stderr-text.js';

export const fcgiwrap502 = defineRule({
  id: 'fcgiwrap-502',
  severity: 'error',
  title: 'fcgiwrap could not run the program, or the program said nothing',
  meaning:
    'fcgiwrap runs ordinary CGI programs. It found the program, but could not start it, or got not one line out of it, and answers 502.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: ['Run the program by hand as fcgiwrap’s user: sudo -u www-data env REQUEST_METHOD=GET PATH shows its error.'],
  },
  look: ['fcgiwrap -f passes what the program writes to STDERR on: then it stands in the web server’s error log.'],
  needs: ['stderr', 'status'],
  seen: ['nginx → fcgiwrap'],
  check(exchange) {
    const failed = exchange.streams.stderr.bytes === 0 ? null : FAILED.exec(stderrText(exchange));
    if (failed) return notStarted(failed);
    if (bodyBegins(exchange, 'An error occurred while reading CGI reply')) return silent(exchange);
    const { response, bodyHead } = exchange;
    const refused = response?.status === 502 && bodyHead.length === ANSWER.length && bodyBegins(exchange, ANSWER);
    return refused ? withoutWords(exchange) : null;
  },
});

const FAILED = /Cannot (execute script|chdir to script directory) \((.{0,4096}?)\)(?:\n|$)/s;

/** All that it says without its option -f. */
const ANSWER = '502 Bad Gateway\r\n';

const WHY: readonly Alternative[] = [
  { cause: 'The interpreter in the first line does not exist.', tell: 'head -1 PATH; ls -l that interpreter.' },
  { cause: 'The file has Windows line ends.', tell: 'head -1 PATH | od -c shows \\r.' },
  {
    cause: 'The file system is mounted noexec, or the program is for another machine.',
    tell: 'findmnt -T PATH; file PATH',
  },
];

function withoutWords({ script, response }: Exchange): Sighting {
  return {
    detail: `Status 502 and no reason: fcgiwrap runs without -f.${script === null ? '' : ` The program is ${visibleText(script, 300)}.`}`,
    advice: [
      'Run fcgiwrap with -f: then its reason, and what the program writes to STDERR, come through the web server.',
    ],
    alternatives: [...WHY, { cause: 'Another program answers with the same words.', tell: 'ss -lxtp' }],
    evidence: [{ kind: 'bytes', stream: 'stdout', offset: response?.length ?? 0, length: ANSWER.length }],
  };
}

function notStarted([line, what, path]: RegExpExecArray): Sighting {
  const program = what === 'execute script';
  return {
    detail: `${program ? 'It could not execute' : 'It could not change into'} ${visibleText(path!, 300)}.`,
    advice: program
      ? [
          'Look at its first line: the interpreter after #! must exist there, and the line must not end with CR LF (dos2unix PATH).',
          'Is the file system mounted noexec? findmnt -T PATH',
        ]
      : ['The folder of the program must exist and have the x right for fcgiwrap’s user.'],
    alternatives: program ? WHY : [],
    evidence: [{ kind: 'stderr', text: visibleText(line, 400) }],
  };
}

function silent(exchange: Exchange): Sighting {
  return {
    detail: 'The program ended without printing anything: no header, no page.',
    advice: ['A CGI program must print a header line (Content-Type: text/html), an empty line, and then the page.'],
    alternatives: [
      {
        cause: 'It stopped with an error at its start.',
        tell: 'Its own message, in STDERR with fcgiwrap -f or by hand.',
      },
      { cause: 'It was killed.', tell: 'dmesg | grep -i -E "killed|segfault"' },
    ],
    evidence: [
      { kind: 'bytes', stream: 'stdout', offset: exchange.response?.length ?? 0, length: exchange.bodyHead.length },
    ],
  };
}
