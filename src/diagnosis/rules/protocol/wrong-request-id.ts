import { reactionWords } from '../../reactions.js';
import { defineRule } from '../../rule.js';

export const wrongRequestId = defineRule({
  id: 'wrong-request-id',
  severity: 'error',
  title: 'The backend answered under the number of another request',
  meaning:
    'Each request on a connection has a number, and what the backend sends must carry it. This backend sent something under a number that no open request has: some web servers refuse that, others deliver it, to whomever it may belong.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: [
      'Update the application’s FastCGI library: it must copy the request id of BEGIN_REQUEST into every record it sends, and not assume 1.',
    ],
    nginx: ['fastcgi_keep_conn off; until the library is mended, so that nothing is left over for the next request.'],
    apache: ['disablereuse=On for the worker until the library is mended.'],
    haproxy: ['no option mpxs-conns and no option keep-conn in the fcgi-app section until the library is mended.'],
    lighttpd: ['Takes any number: a page may go to the wrong client until the library is mended.'],
    caddy: ['Takes any number: a page may go to the wrong client until the library is mended.'],
  },
  look: [
    'nginx’s error log: "upstream sent unexpected FastCGI request id high byte" or "low byte"; Apache’s: AH01069 "Got bogus rid".',
    'The connection’s problems: which ids came.',
  ],
  needs: ['problems'],
  absence: 'both',
  seen: [],
  check(exchange) {
    const { records, role, problems } = exchange;
    // Where bytes are lost, the request with that number may have been in them.
    if (records.problems === 0 || records.gaps > 0 || role === 'unknown') return null;
    const problem = problems.find(
      ({ code, side }) => side === 'server' && (code === 'no-begin-request' || code === 'null-request-id'),
    );
    if (problem === undefined) return null;
    return {
      detail: `The request has id ${exchange.requestId}, and the backend sent ${problem.message}. ${reactionWords(exchange, REACTIONS)}`,
    };
  },
});

const REACTIONS = {
  nginx: 'answers 502, or ends the connection in the middle of the page',
  lighttpd: 'takes any id, and so may deliver the page of another request',
  apache: 'answers 503 (mod_proxy_fcgi), or takes any id (mod_fcgid)',
  caddy: 'takes any id, and so may deliver the page of another request',
  haproxy: 'ignores the record and answers 504 after its server timeout',
  h2o: 'takes any id, and so may deliver the page of another request',
};
