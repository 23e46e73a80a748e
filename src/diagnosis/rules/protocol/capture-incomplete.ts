import type { Side } from '../../../model/connection.js';
import type { Exchange, Problem } from '../../../model/exchange.js';
import { STREAM_NAMES } from '../../../model/exchange.js';
import { isLostByGap } from '../../blind-spots.js';
import { defineRule } from '../../rule.js';

/** What stands in place of the findings that cannot be made then (blind-spots.ts): a reader should not take silence for health. */
export const captureIncomplete = defineRule({
  id: 'capture-incomplete',
  severity: 'note',
  title: 'Part of this request is not in the capture',
  meaning:
    'The program that captured the packets missed some of them, or began when the request was under way. Nothing is wrong with the request for that, but sizes, headers and the outcome may be unknown, and faults that show by what did not come are not looked for.',
  layer: 'remark',
  certainty: 'proven',
  remedies: {
    any: [
      'Capture whole packets with a large buffer, and nothing else: tcpdump -i any -s 0 -B 65536 -w fcgi.pcap "tcp port 9000" (-B in KiB).',
      'Capture on the web server’s or the backend’s own machine: mirror ports of switches drop packets when they are busy.',
      'Begin the capture before the requests, and let kept connections be made anew (reload the web server).',
      'As a proxy between the two, fcgi-inspect sees every byte.',
    ],
  },
  look: [
    'The last lines that tcpdump prints: "packets dropped by kernel" and "packets dropped by interface" should be 0.',
    'capinfos FILE shows the packet size limit: a limit cuts each packet.',
  ],
  needs: ['problems', 'failure'],
  seen: [],
  check(exchange) {
    const { role, requestId, outcome, problems } = exchange;
    const missed = [missedOf(exchange, 'client'), missedOf(exchange, 'server')].filter((text) => text !== '');
    // Number 0 is of connections on which no request began.
    if (requestId > 0) {
      if (role === 'unknown') missed.push('Its beginning was not seen.');
      if (problems.some(({ code }) => code === 'met-late'))
        missed.push('Its answer may have passed before its beginning was met.');
      if (outcome === 'undecodable' && problems.some(isOfCapture) && !problems.some(isOfPeer)) {
        missed.push('What became of it was not seen.');
      }
    }
    return missed.length === 0 ? null : { detail: missed.join(' ') };
  },
});

function isOfCapture(problem: Problem): boolean {
  return problem.code === 'capture-gap' || problem.code === 'no-begin-request' || isLostByGap(problem);
}

/** What a peer sent cannot be told apart in records: the capture is not to blame. */
function isOfPeer(problem: Problem): boolean {
  const { code } = problem;
  return (
    code === 'bad-body-length' || code === 'foreign-protocol' || (code === 'lost-framing' && !isLostByGap(problem))
  );
}

/** A sentence; empty where nothing of that side was missed. */
function missedOf({ problems, records, streams }: Exchange, side: Side): string {
  const own = problems.filter((problem) => problem.side === side);
  const gaps = own.filter(({ code }) => code === 'capture-gap');
  const lost = lengthOf(own.filter(isLostByGap));
  if (gaps.length === 0 && lost === 0) return '';
  const who = side === 'server' ? 'backend' : 'web server';
  const least = records.problems > problems.length ? 'at least ' : '';
  const among = STREAM_NAMES.filter((name) => SENDER[name] === side && streams[name].missing > 0)
    .map((name) => `${bytes(streams[name].missing)} of ${name.toUpperCase()}`)
    .join(' and ');
  const first = gaps[0];
  const missing =
    first === undefined
      ? 'some is not in the capture'
      : `${least}${bytes(lengthOf(gaps))} are not in the capture${among === '' ? '' : ` (${among})`}, from its byte ${first.offset} on`;
  const untold = lost <= lengthOf(gaps) ? '' : `; with what follows, ${bytes(lost)} cannot be told apart in records`;
  return `Of what the ${who} sent, ${missing}${untold}.`;
}

const SENDER = { params: 'client', stdin: 'client', data: 'client', stdout: 'server', stderr: 'server' } as const;

function lengthOf(problems: readonly Problem[]): number {
  return problems.reduce((sum, { length }) => sum + length, 0);
}

function bytes(count: number): string {
  return count === 1 ? '1 byte' : `${count} bytes`;
}
