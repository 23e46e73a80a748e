import type { Exchange } from '../../../model/exchange.js';
import { visibleText } from '../../../model/visible-text.js';
import { seenWhole } from '../../blind-spots.js';
import { MARK, paramMarks } from '../../param-marks.js';
import { webServerOf } from '../../products.js';
import { defineRule } from '../../rule.js';

export const phpValueInjection = defineRule({
  id: 'php-value-injection',
  severity: 'error',
  title: 'PHP settings that let a client run its own code came with the request',
  meaning:
    'PHP-FPM takes php.ini settings from the params PHP_VALUE and PHP_ADMIN_VALUE, whoever sends them. Administrators use that for limits; these settings are the ones by which attackers have their own code run, once they can speak to PHP-FPM’s port.',
  layer: 'remark',
  certainty: 'allowed',
  remedies: {
    any: [
      'Find out who sent this (the client address of the connection). If it is not your web server, treat the machine as broken into.',
      'Nobody but the web server may reach PHP-FPM: a Unix socket, or a firewall.',
    ],
    'php-fpm': [
      'listen = /run/php/php-fpm.sock with listen.owner, listen.group, listen.mode = 0660; or listen = 127.0.0.1:9000 with listen.allowed_clients = 127.0.0.1.',
      'php_admin_value[…] in the pool cannot be overridden by PHP_VALUE: set disable_functions, open_basedir and allow_url_include there.',
    ],
  },
  alternatives: [
    {
      cause: 'The web server’s own configuration sets this.',
      tell: 'grep -rniE "PHP_(ADMIN_)?VALUE" in its configuration finds the same text.',
    },
  ],
  look: [
    'PHP-FPM’s log: "Passing INI directive through FastCGI: unable to set". The addresses in ss -tnp at PHP-FPM’s port.',
  ],
  needs: ['marks'],
  seen: ['nginx → PHP-FPM', 'test client → PHP-FPM'],
  check(exchange) {
    if ((paramMarks(exchange) & MARK.PHP_SETTING) === 0) return null;
    const found = dangerousSettings(exchange);
    if (found.length === 0) return null;
    return {
      detail: `${found.map(({ param, line }) => `${param}: ${visibleText(line, 120)}`).join('; ')}.`,
      evidence: [...new Set(found.map(({ param }) => param))].map((name) => ({ kind: 'param', name })),
    };
  },
});

interface Setting {
  readonly param: string;
  readonly line: string;
}

/** At most this many are told of. */
const SETTINGS_SHOWN = 5;

function dangerousSettings(exchange: Exchange): readonly Setting[] {
  const found: Setting[] = [];
  for (const { name, value } of exchange.params) {
    if (name !== 'PHP_VALUE' && name !== 'PHP_ADMIN_VALUE') continue;
    for (const line of value.split(/[\r\n]+/)) {
      const [, key, setting] = /^\s*([\w.]{1,64})\s*=\s*(.*?)\s*$/s.exec(line) ?? [];
      if (key === undefined || setting === undefined || !isDangerous(key, setting, exchange)) continue;
      found.push({ param: name, line: line.trim() });
      if (found.length === SETTINGS_SHOWN) return found;
    }
  }
  return found;
}

/**
 * memory_limit, upload sizes, error_log and open_basedir are what administrators set; so is auto_prepend_file to a file of theirs (the
 * firewall of a well-known plugin). To an address, a stream or a folder that everybody may write to, nobody sets it.
 */
function isDangerous(key: string, text: string, exchange: Exchange): boolean {
  const setting = text.replace(/^["']|["']$/g, '');
  const none = setting === '' || /^(?:none|off|0|no|false)$/i.test(setting);
  switch (key) {
    case 'auto_prepend_file':
    case 'auto_append_file':
      if (none) return false;
      return /^(?:[a-z][a-z0-9.+-]*:|\/(?:tmp|var\/tmp|dev|proc)\/)/i.test(setting) || isNobody(exchange);
    case 'allow_url_include':
      return !none;
    case 'disable_functions':
    case 'disable_classes':
      return none;
    case 'open_basedir':
      return none || setting === '/';
    case 'extension':
    case 'zend_extension':
    case 'extension_dir':
    case 'unserialize_callback_func':
      return true;
    case 'sendmail_path':
    case 'mail.log':
      return isNobody(exchange);
    default:
      return false;
  }
}

/** No web server that says its name sent it. */
function isNobody(exchange: Exchange): boolean {
  return webServerOf(exchange) === null && seenWhole(exchange, 'client');
}
