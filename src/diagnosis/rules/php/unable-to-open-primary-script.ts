import { visibleText } from '../../../model/visible-text.js';
import { defineRule } from '../../rule.js';
import { stderrText } from '../../stderr-text.js';
import { suspicion } from './script-path.js';

export const unableToOpenPrimaryScript = defineRule({
  id: 'unable-to-open-primary-script',
  severity: 'error',
  title: 'PHP-FPM may not read the script',
  meaning:
    'PHP-FPM found the file that it was to run and could not open it. It answers 403 "Access denied." or 404 "No input file specified.".',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    'php-fpm': ['user = and group = of the pool say who must be able to read the file.'],
  },
  look: [
    'sudo -u www-data cat PATH, with the pool’s user in place of www-data, says the same as PHP or shows that it is a module.',
  ],
  needs: ['stderr'],
  seen: [
    'nginx → PHP-FPM',
    'lighttpd → PHP-FPM',
    'Apache mod_proxy_fcgi → PHP-FPM',
    'Caddy → PHP-FPM',
    'HAProxy → PHP-FPM',
  ],
  check(exchange) {
    if (exchange.streams.stderr.bytes === 0) return null;
    const text = stderrText(exchange);
    const found = UNABLE.exec(text);
    if (!found) return null;
    const [line, script, reason] = found as unknown as [string, string, string];
    const evidence = [
      { kind: 'param', name: 'SCRIPT_FILENAME' },
      { kind: 'stderr', text: visibleText(line, 400) },
    ] as const;
    const detail = `${visibleText(script, 300)}: ${visibleText(reason, 100)}.`;
    if (reason === 'Permission denied')
      return {
        detail,
        advice: [
          'Let the pool’s user read the file (chmod 644, or its group) and enter every folder above it (chmod o+x): namei -l PATH shows them all.',
          'When the modes are right: SELinux (ausearch -m avc -ts recent; restorecon -R /srv/www) or AppArmor (dmesg).',
        ],
        evidence,
      };
    if (reason === 'Operation not permitted' || text.includes('open_basedir restriction'))
      return {
        detail: `${detail} That is open_basedir.`,
        advice: [
          'Add the folder to open_basedir (php_admin_value[open_basedir] in the pool, PHP_ADMIN_VALUE in the web server, or php.ini), with all links resolved.',
        ],
        evidence,
      };
    return { ...suspicion(exchange, detail), certainty: 'allowed', evidence };
  },
});

const UNABLE = /Unable to open primary script: (.{0,4096}?) \(([^()]{1,100})\)/s;
