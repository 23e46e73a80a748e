import type { Exchange } from '../../../model/exchange.js';
import type { Alternative } from '../../../model/finding.js';
import { AT_ONCE } from '../../../model/surroundings.js';
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

const GONE: Alternative = {
  cause: 'The program had just ended, after its last request or for a restart: the connection was still in its queue.',
  tell: 'The requests after this one are refused, or answered by a new process (ps: since when does it run?).',
};
const NOT_ALLOWED: Alternative = {
  cause: 'The application does not take connections from this address (listen.allowed_clients, FCGI_WEB_SERVER_ADDRS).',
  tell: 'All of them end so, and on the backend’s own machine none does.',
};

/** From here on a death is a late one, milliseconds. */
const LATE = 1_000;

/** What a reset fits: a program that died with the request partly unread, as PHP-FPM’s do while a script runs. */
export function causesOfReset(age: number): readonly Alternative[] {
  if (age >= LATE) return [TIMED, KILLED, CRASHED, RELOADED];
  return age > AT_ONCE ? [CRASHED, KILLED, RELOADED] : [CRASHED, KILLED, GONE, NOT_ALLOWED];
}

/** What a close in order fits: a program that had read everything, as those on libfcgi have. */
export function causesOfClose(age: number): readonly Alternative[] {
  if (age >= LATE) return [ENDED, TIMED, CRASHED, RELOADED];
  return age > AT_ONCE ? [ENDED, CRASHED, RELOADED] : [ENDED, CRASHED, NOT_ALLOWED];
}
