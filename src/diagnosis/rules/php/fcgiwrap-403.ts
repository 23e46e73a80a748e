import type { Alternative } from '../../../model/finding.js';
import { paramValue } from '../../../model/param-value.js';
import { visibleText } from '../../../model/visible-text.js';
import { seenWhole } from '../../blind-spots.js';
import { bodyBegins } from '../../body-head.js';
import { defineRule } from '../../rule.js';
import { stderrText } from '../../stderr-text.js';

const WHY: readonly Alternative[] = [
  { cause: 'The file is not executable.', tell: 'ls -l PATH shows no x.' },
  { cause: 'There is no file at that path for fcgiwrap.', tell: 'ls PATH on its machine, in its container.' },
  { cause: 'fcgiwrap’s user may not enter one of the folders.', tell: 'sudo -u www-data namei -l PATH' },
];
const NOT_FCGIWRAP: Alternative = {
  cause: 'Another program answers with the same words.',
  tell: 'ss -lxtp shows what listens at this address.',
};

export const fcgiwrap403 = defineRule({
  id: 'fcgiwrap-403',
  severity: 'error',
  title: 'fcgiwrap finds no program to run',
  meaning:
    'fcgiwrap runs ordinary CGI programs. It puts the path together from DOCUMENT_ROOT and SCRIPT_NAME (or takes SCRIPT_FILENAME), found no file there that its user may execute, and answers 403.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: ['chmod +x the program; fcgiwrap’s user needs the x right on it and on every folder above it.'],
    nginx: [
      'fastcgi_param SCRIPT_FILENAME /usr/lib/cgi-bin$fastcgi_script_name; (or DOCUMENT_ROOT and SCRIPT_NAME that together give the path).',
    ],
    lighttpd: [
      'Prefer mod_cgi, which runs such programs without fcgiwrap; else "docroot" in the fastcgi.server entry.',
    ],
    apache: ['ProxyFCGIBackendType GENERIC, so that SCRIPT_FILENAME is the plain path without proxy:fcgi://.'],
    caddy: ['root * to the folder of the programs.'],
    haproxy: ['docroot in the fcgi-app section, the folder of the programs.'],
  },
  look: [
    'systemctl cat fcgiwrap.service shows its user, and whether it runs with -f: only then its messages come through the web server.',
  ],
  needs: ['stderr', 'status'],
  seen: ['nginx → fcgiwrap'],
  check(exchange) {
    const { streams, params, response, bodyHead } = exchange;
    const said = streams.stderr.bytes > 0 && stderrText(exchange).includes('Cannot get script name, are DOCUMENT_ROOT');
    // Without its option -f it says no more than this.
    const silent = response?.status === 403 && bodyHead.length === ANSWER.length && bodyBegins(exchange, ANSWER);
    if (!said && !silent) return null;
    const shown = (name: string) => {
      const value = paramValue(params, name);
      return value === null
        ? `${seenWhole(exchange, 'client') ? 'no' : 'an unknown'} ${name}`
        : `${name} ${value === '' ? 'empty' : visibleText(value, 200)}`;
    };
    return {
      detail: `It was given ${shown('SCRIPT_FILENAME')}, ${shown('DOCUMENT_ROOT')}, ${shown('SCRIPT_NAME')}.`,
      alternatives: said ? WHY : [...WHY, NOT_FCGIWRAP],
      evidence: [
        { kind: 'param', name: 'SCRIPT_FILENAME' },
        said
          ? { kind: 'stderr', text: 'Cannot get script name' }
          : { kind: 'bytes', stream: 'stdout', offset: response?.length ?? 0, length: ANSWER.length },
      ],
    };
  },
});

const ANSWER = '403 Forbidden\r\n';
