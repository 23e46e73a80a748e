import { milliseconds } from '../../../model/time.js';
import { reactionWords } from '../../reactions.js';
import { defineRule } from '../../rule.js';

/** A process that was ended because it took too long shows by the time that it took, not by where it was cut off. */
const LONG = 4_500;

export const truncatedRecord = defineRule({
  id: 'truncated-record',
  severity: 'error',
  title: 'The backend closed the connection in the middle of a record',
  meaning:
    'What an application sends is cut into records, each of which says how long it is. This one was announced and not sent to its end, and the connection was closed as if all were well: the response is incomplete, though some web servers pass it on as a whole one.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: [
      'Find out whether the application died while it wrote: its log, dmesg, the journal of its service.',
      'Update the application’s FastCGI library: records above 65535 bytes, or lengths that are not those of the content, end like this.',
      'A proxy or tunnel between web server and backend must not cut: look at its timeouts and limits.',
    ],
    'php-fpm': [
      'Its log says "exited on signal" of a worker that was killed: 9 is mostly memory (pm.max_children times memory_limit must fit into it), 11 a crash.',
    ],
  },
  alternatives: [
    {
      cause: 'The application was killed or crashed while it wrote.',
      tell: 'dmesg, or "exited on signal" in its log.',
    },
    {
      cause: 'Its library announces lengths that are not those of what it sends.',
      tell: 'It happens with the same page each time, above all with large ones.',
    },
    {
      cause: 'A proxy or a tunnel between the two cut it off.',
      tell: 'A capture at the backend’s own end shows the whole record.',
    },
  ],
  look: [
    'lighttpd’s error log: "unexpected end-of-file (perhaps the fastcgi process died)"; Apache’s: AH01075 "(70014)End of file found". nginx and Caddy say nothing.',
    'The Records tab: the last record.',
  ],
  needs: ['failure'],
  absence: 'server',
  seen: [],
  check(exchange, surroundings) {
    const { outcome, records, times, connectionEnd, problems, streams } = exchange;
    if (outcome !== 'backend-closed' || records.problems === 0) return null;
    const problem = problems.find(({ code, side }) => code === 'truncated-record' && side === 'server');
    if (problem === undefined) return null;
    // Several at once: the backend was stopped, and that is the cause.
    if ((surroundings?.lostTogether ?? 0) > 0) return null;
    if ((milliseconds(times.begin, connectionEnd?.at ?? null) ?? 0) > LONG) return null;
    return {
      detail: `${sentence(problem.message)}. ${reactionWords(exchange, REACTIONS)}`,
      evidence: [
        { kind: 'record', record: records.total - 1 },
        { kind: 'bytes', stream: 'stdout', offset: streams.stdout.bytes, length: streams.stdout.missing },
      ],
    };
  },
});

function sentence(message: string): string {
  return message.charAt(0).toUpperCase() + message.slice(1);
}

const REACTIONS = {
  nginx: 'passes on what came as a complete 200',
  lighttpd: 'answers 500, with "unexpected end-of-file" in its log',
  apache: 'breaks the response off (mod_proxy_fcgi), or answers 500 (mod_fcgid)',
  caddy: 'passes on what came as a complete 200',
  haproxy: '2.6 waits for its server timeout and answers 504',
  h2o: 'answers 503',
};
