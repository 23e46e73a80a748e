import { formatDuration } from '../../../model/quantity.js';
import { defineRule } from '../../rule.js';
import { ageAtDeath, causesOfReset, isSilent } from './death-words.js';

/** What is left when nothing tells why: a rule that knows the cause takes its place. */
export const rstBeforeAnyByte = defineRule({
  id: 'rst-before-any-byte',
  severity: 'error',
  title: 'The backend’s worker died before it answered',
  meaning:
    'The process that worked on the request was gone before it had sent anything: it was killed or it crashed. With PHP-FPM a reset connection (RST) means just that; its log has the reason.',
  layer: 'consequence',
  certainty: 'allowed',
  remedies: {
    any: [
      'Killed (signal 9): give the machine or the container more memory, or let there be fewer workers.',
      'Crashed (signal 11): switch extensions off one after the other until the URL works; get a core dump (ulimit -c unlimited, coredumpctl gdb).',
    ],
    nginx: [
      'fastcgi_next_upstream error with a second server in the upstream block hides single deaths from visitors who only read.',
    ],
    lighttpd: [
      'It answers 500 and logs "unexpected end-of-file" or "Connection reset by peer": nothing is to be changed there.',
    ],
    apache: ['It answers 503 and logs AH01067 and AH01075: nothing is to be changed there.'],
    caddy: ['It answers 502; its log says EOF for a reset, too: nothing is to be changed there.'],
    haproxy: [
      'retry-on empty-response in the backend hides single deaths from visitors who only read (option redispatch).',
    ],
    'php-fpm': [
      'catch_workers_output = yes, and log_level = notice: its log then has what the worker said last.',
      'rlimit_core = unlimited in the pool file for core dumps; emergency_restart_threshold restarts all after many crashes.',
      'memory_limit times pm.max_children must fit into the memory there is.',
    ],
    php: [
      'opcache.jit=0, then opcache.enable=0: do the crashes end? xdebug.max_nesting_level stops endless recursion.',
    ],
  },
  alternatives: causesOfReset(Number.POSITIVE_INFINITY),
  look: [
    'PHP-FPM’s log at that moment: "child … exited on signal …".',
    'journalctl -k: "segfault at", "Killed process".',
  ],
  needs: ['failure'],
  absence: 'server',
  seen: ['nginx → PHP-FPM', 'lighttpd → PHP-FPM', 'Apache → PHP-FPM', 'Caddy → PHP-FPM', 'HAProxy → PHP-FPM'],
  check(exchange) {
    if (exchange.outcome !== 'backend-reset' || !isSilent(exchange)) return null;
    const age = ageAtDeath(exchange);
    const words = exchange.streams.stderr.bytes > 0 ? ' Its last words are in STDERR.' : '';
    return {
      detail: `The reset (RST) came ${formatDuration(age)} after the request began, without a byte of STDOUT.${words}`,
      alternatives: causesOfReset(age),
      evidence: [{ kind: 'time', milliseconds: age }],
    };
  },
});
