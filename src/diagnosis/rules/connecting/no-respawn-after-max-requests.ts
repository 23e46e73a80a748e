import { formatDuration } from '../../../model/quantity.js';
import { defineRule } from '../../rule.js';

/** A restart is over by then, milliseconds: who refuses for longer has not been started again. */
const LONG = 3_000;

export const noRespawnAfterMaxRequests = defineRule({
  id: 'no-respawn-after-max-requests',
  severity: 'error',
  title: 'The backend answered all its requests, ended, and nobody started it again',
  meaning:
    'The application served its requests in order and then went away, without cutting one off. Programs that end after a certain number of requests (php-cgi after 500) need somebody who starts them again.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: ['Run it under something that starts it again: a systemd unit with Restart=always, supervisord, multiwatch.'],
    php: [
      'PHP_FCGI_CHILDREN=4 in the environment of php-cgi: a parent then replaces its children. Or use PHP-FPM.',
      'PHP_FCGI_MAX_REQUESTS=0 lets it serve without an end.',
    ],
    lighttpd: ['Let lighttpd start it: "bin-path" and "max-procs" in fastcgi.server; it replaces what has ended.'],
    apache: ['mod_fcgid: FcgidMaxRequestsPerProcess 500, not above PHP_FCGI_MAX_REQUESTS.'],
    iis: ['instanceMaxRequests of the FastCGI application, not above PHP_FCGI_MAX_REQUESTS.'],
    libfcgi: [
      'spawn-fcgi starts a program once and does not watch it: spawn-fcgi -n under multiwatch or systemd does.',
    ],
  },
  alternatives: [
    { cause: 'Somebody stopped it.', tell: 'journalctl -u of its service says "Stopping" at that time.' },
    {
      cause: 'It was killed or crashed while it had nothing to do.',
      tell: 'journalctl -k | grep -iE "killed process|segfault", and coredumpctl list.',
    },
  ],
  look: ['ps: is a process of it left?', 'The number of requests that it had answered: always the same?'],
  needs: ['failure'],
  seen: ['nginx → php-cgi'],
  check({ failure }, surroundings) {
    if (failure === null || surroundings === null) return null;
    if (failure.reason !== 'refused' && failure.reason !== 'missing') return null;
    const { answered, sinceAnswer, sinceCut, failingFor } = surroundings.backend;
    if (answered === 0 || sinceAnswer === null || (failingFor ?? 0) < LONG) return null;
    if (sinceCut !== null && sinceCut <= sinceAnswer) return null;
    return {
      detail: `${failure.message} (${failure.errno}), for ${formatDuration(failingFor)} now. It had answered ${answered} ${answered === 1 ? 'request' : 'requests'}, all to their end.`,
    };
  },
});
