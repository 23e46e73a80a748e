import { defineRule } from '../../rule.js';

export const recordsAfterEnd = defineRule({
  id: 'records-after-end',
  severity: 'note',
  title: 'The backend sent more after the end of the request',
  meaning:
    'The application had said that the request is done, and sent more for it. Where the connection is closed after each request nobody sees that; on a kept connection the next request gets what is left over.',
  layer: 'consequence',
  certainty: 'proven',
  remedies: {
    any: ['Update the application’s FastCGI library; in one of your own, send END_REQUEST last and once.'],
    nginx: ['fastcgi_keep_conn off; until the application is mended.'],
    apache: ['disablereuse=On for the worker until the application is mended.'],
    haproxy: ['no option keep-conn in the fcgi-app section until the application is mended.'],
  },
  look: [
    'The Records tab: what follows END_REQUEST. nginx’s error log at the next request: "upstream sent unexpected FastCGI record".',
  ],
  seen: [],
  check(exchange) {
    if (exchange.records.problems === 0) return null;
    const problem = exchange.problems.find(({ code, side }) => code === 'after-end-request' && side === 'server');
    // After a request that was given up a late answer is no fault.
    if (problem === undefined || exchange.protocolStatus === null) return null;
    const kept = exchange.keepConnection === true;
    return {
      detail: `${problem.message}. ${kept ? 'The connection is kept: the next request on it may get it.' : 'The connection ends with the request, so no web server minds.'}`,
      severity: kept ? 'warning' : 'note',
    };
  },
});
