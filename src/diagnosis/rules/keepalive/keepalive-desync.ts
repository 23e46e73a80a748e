import { defineRule } from '../../rule.js';

export const keepaliveDesync = defineRule({
  id: 'keepalive-desync',
  severity: 'error',
  title: 'The backend sent more after the end of a request, on a connection that is kept',
  meaning:
    'The application had said that the request is over, and sent something more for it. The connection is used again, so the next request gets what is left over: a wrong page, somebody else’s page, or an error.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: [
      'Keep no connections to this backend until it is repaired.',
      'Update the FastCGI library of the application; END_REQUEST must be the last record of a request, and come once.',
    ],
    nginx: ['fastcgi_keep_conn off;'],
    apache: ['ProxyPass … disablereuse=on'],
    haproxy: ['no option keep-conn in the fcgi-app section.'],
    h2o: ['fastcgi.timeout.keepalive: 0'],
    litespeed: ['Persistent Connection: No for the external application.'],
  },
  look: [
    'nginx’s error log: "upstream sent unexpected FastCGI record", "upstream sent unexpected FastCGI request id".',
    'The records of this request after its END_REQUEST, and the request after it on the same connection.',
  ],
  needs: ['problems'],
  absence: 'both',
  seen: [],
  check({ records, problems, keepConnection, protocolStatus }) {
    if (records.problems === 0 || keepConnection !== true || protocolStatus === null) return null;
    const late = problems.filter(({ code, side }) => code === 'after-end-request' && side === 'server');
    const [problem] = late;
    if (problem === undefined) return null;
    const more = late.length > 1 ? ` It was the first of ${late.length}.` : '';
    return {
      detail: `${problem.message}, at byte ${problem.offset} of what the backend sent on this connection.${more}`,
    };
  },
});
