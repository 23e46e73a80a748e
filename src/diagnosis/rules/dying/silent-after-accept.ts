import { formatDuration } from '../../../model/quantity.js';
import { milliseconds } from '../../../model/time.js';
import { defineRule } from '../../rule.js';

/** Milliseconds that a web server waits at least before it gives up; who leaves earlier is a visitor who left. */
const PATIENCE = 1_000;

/**
 * One request alone may as well be slow. A backend that was never heard, on several connections, has not taken them up; where it was
 * heard before, the rules on waiting tell a full pool from a slow script.
 */
export const silentAfterAccept = defineRule({
  id: 'silent-after-accept',
  severity: 'error',
  title: 'Connections are taken, and nobody ever answers on them',
  meaning:
    'The operating system takes connections for the application, but the application itself has never said a byte on any of them: it hangs, it was stopped, or another kind of service listens there and waits for something else.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: [
      'Restart the backend; when it hangs again, see where: strace -p PID, or gdb -p PID for a backtrace.',
      'Make sure that the port is the one of the FastCGI application: ss -ltnp on its machine names the program.',
    ],
    'php-fpm': [
      'request_terminate_timeout = 120s ends workers that hang; pm.status_path shows what each of them does.',
      'xdebug.start_with_request=no: a debugger that waits for an editor stops all requests.',
    ],
    libfcgi: ['A program with one process serves one request at a time: start several (spawn-fcgi -F 8).'],
  },
  alternatives: [
    {
      cause: 'All workers hang in what they do, such as on a database that does not answer.',
      tell: 'pm.status_path?full, or strace -p of each.',
    },
    { cause: 'The application is stopped (SIGSTOP, a debugger).', tell: 'ps -o pid,stat: T or t.' },
    {
      cause: 'All scripts that were asked for are slow.',
      tell: 'A small static script on the same backend is answered.',
    },
  ],
  look: ['On the backend’s machine: ss -ltn (ss -xl): Recv-Q above 0 means that nobody accepts.'],
  needs: ['failure'],
  absence: 'server',
  seen: ['nginx → a program that never accepts'],
  check({ outcome, streams, times, connectionEnd, precedingRequests }, surroundings) {
    if (outcome !== 'web-server-closed' && outcome !== 'web-server-reset' && outcome !== 'aborted') return null;
    if (surroundings === null || precedingRequests > 0) return null;
    if (streams.stdout.records + streams.stderr.records > 0) return null;
    const { answered, unanswered } = surroundings.backend;
    if (answered > 0 || unanswered === 0 || surroundings.servedMeanwhile > 0) return null;
    const waited = milliseconds(times.stdinEnd, connectionEnd?.at ?? times.end);
    if (waited === null || waited < PATIENCE) return null;
    return {
      detail: `The web server waited ${formatDuration(waited)}. ${unanswered} other ${unanswered === 1 ? 'request was' : 'requests were'} given up before it; the backend has never said a byte.`,
      evidence: [{ kind: 'time', milliseconds: waited }],
    };
  },
});
