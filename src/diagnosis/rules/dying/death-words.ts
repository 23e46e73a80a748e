import type { Exchange } from '../../../model/exchange.js';
import type { Alternative } from '../../../model/finding.js';
import { milliseconds } from '../../../model/time.js';

/** How long after the request's beginning the connection ended, in milliseconds. */
export function ageAtDeath({ times, connectionEnd }: Exchange): number {
  return Math.max(0, milliseconds(times.begin, connectionEnd?.at ?? null) ?? 0);
}

/** Not one byte of an answer came, and none was missed. */
export function isSilent({ streams }: Exchange): boolean {
  return streams.stdout.bytes + streams.stdout.missing === 0;
}

const KILLED: Alternative = {
  cause: 'The system killed the worker because memory had run out.',
  tell: 'PHP-FPM’s log: "exited on signal 9 (SIGKILL)"; journalctl -k | grep -i "killed process".',
};
const CRASHED: Alternative = {
  cause: 'The worker crashed in an extension, in opcache’s JIT, or by endless recursion.',
  tell: 'PHP-FPM’s log: "exited on signal 11 (SIGSEGV)"; coredumpctl list; the same URL dies each time.',
};
const TIMED: Alternative = {
  cause: 'A limit on the time of a request was reached (request_terminate_timeout).',
  tell: 'PHP-FPM’s log: "execution timed out"; requests die after about the same time.',
};
const RELOADED: Alternative = {
  cause: 'The application was reloaded or restarted.',
  tell: 'PHP-FPM’s log: "Reloading in progress", "Terminating ...": at that moment.',
};
const ENDED: Alternative = {
  cause: 'The program ended itself: exit(), an exception that nobody caught, a limit on its requests.',
  tell: 'Its own log, which the service manager has (journalctl -u of its service): FastCGI does not carry it once the program is gone.',
};

/** From here on a death is a late one, milliseconds. */
const LATE = 1_000;

/** What a reset fits: a program that died with the request partly unread, as PHP-FPM’s do while a script runs. */
export function causesOfReset(age: number): readonly Alternative[] {
  return age >= LATE ? [TIMED, KILLED, CRASHED, RELOADED] : [CRASHED, KILLED, RELOADED];
}

/** What a close in order fits: a program that had read everything, as those on libfcgi have. */
export function causesOfClose(age: number): readonly Alternative[] {
  return age >= LATE ? [ENDED, TIMED, CRASHED, RELOADED] : [ENDED, CRASHED, RELOADED];
}
