import { webServerOf } from '../../products.js';
import { reactionWords } from '../../reactions.js';
import { defineRule } from '../../rule.js';

export const unknownRecordType = defineRule({
  id: 'unknown-record-type',
  severity: 'error',
  title: 'The backend sent a record that has no business there',
  meaning:
    'A backend sends its output, its error output and the end of the request. This one sent a record of a type that does not exist, or of one that only a web server sends; many web servers end the request with an error then.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: [
      'Update the application’s FastCGI library: it may send STDOUT (6), STDERR (7) and END_REQUEST (3), no other types.',
    ],
    caddy: [
      'Takes the content of such a record for a part of the page: the page is damaged until the library is mended.',
    ],
  },
  look: [
    'nginx’s error log: "upstream sent invalid FastCGI record type" or "unexpected FastCGI record"; lighttpd’s: "FastCGI: header.type not handled"; Apache’s: AH01072 "Got bogus record".',
    'The Records tab: the record with the mark.',
  ],
  needs: ['problems'],
  absence: 'server',
  seen: [],
  check(exchange) {
    const { records, problems } = exchange;
    if (records.problems === 0 || records.gaps > 0) return null;
    const problem = problems.find(
      ({ code, side, message }) =>
        side === 'server' &&
        (code === 'unknown-record-type' || (code === 'wrong-direction' && !message.startsWith('GET_VALUES'))),
    );
    if (problem === undefined) return null;
    const server = webServerOf(exchange);
    const ignored = server === 'lighttpd' || server === 'haproxy';
    return {
      detail: `At byte ${problem.offset} of what the backend sent: ${problem.message}. ${reactionWords(exchange, REACTIONS)}`,
      severity: ignored ? 'warning' : 'error',
      beside: ignored,
    };
  },
});

const REACTIONS = {
  nginx: 'answers 502, or ends the connection in the middle of the page',
  lighttpd: 'ignores it',
  apache: 'ignores it (mod_proxy_fcgi), or answers 500 (mod_fcgid)',
  caddy: 'puts its content into the page',
  haproxy: 'ignores it',
  h2o: 'answers 503',
};
