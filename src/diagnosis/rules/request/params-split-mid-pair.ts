import { defineRule } from '../../rule.js';

export const paramsSplitMidPair = defineRule({
  id: 'params-split-mid-pair',
  severity: 'error',
  title: 'A param goes on in the next record, which PHP-FPM does not understand',
  meaning:
    'The web server cut PARAMS into records in the middle of a name or value. FastCGI allows that, and libfcgi programs read it; PHP-FPM takes it for nonsense and closes the connection without a word.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: [
      'Make the request’s headers smaller, so that all params fit into one record (65535 bytes): mostly it is cookies.',
      'A FastCGI client of one’s own has to end each PARAMS record between two pairs.',
    ],
    h2o: ['it cuts at 65535 bytes wherever that is; nginx, lighttpd, Apache, Caddy and HAProxy cut between pairs.'],
  },
  alternatives: [
    {
      cause: 'The worker crashed for another reason.',
      tell: 'Requests with few headers fail as well; PHP-FPM’s log names a signal.',
    },
    { cause: 'The backend is no PHP-FPM and has another complaint.', tell: 'Its own log.' },
  ],
  look: ['The Timeline tab: more than one PARAMS record with content. PHP-FPM logs nothing.'],
  absence: 'server',
  needs: ['failure'],
  seen: ['cgi-fcgi → PHP-FPM', 'test client → PHP-FPM'],
  check({ paramsSplit, outcome, streams }) {
    if (!paramsSplit || (outcome !== 'backend-reset' && outcome !== 'backend-closed')) return null;
    if (streams.stdout.records + streams.stderr.records > 0) return null;
    return {
      detail: `PARAMS came in ${streams.params.records} records, and a pair is cut by the end of one. The backend ${outcome === 'backend-reset' ? 'reset' : 'closed'} the connection without an answer.`,
    };
  },
});
