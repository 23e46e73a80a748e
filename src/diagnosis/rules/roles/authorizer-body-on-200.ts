import { defineRule } from '../../rule.js';

export const authorizerBodyOn200 = defineRule({
  id: 'authorizer-body-on-200',
  severity: 'note',
  title: 'The authorizer allowed the request, and its page is thrown away',
  meaning:
    'When an authorizer says yes, the web server goes on to the page that was asked for, and nobody sees what the authorizer printed besides.',
  layer: 'remark',
  certainty: 'proven',
  remedies: { any: ['Print the header and a blank line only; a page belongs to answers that refuse.'] },
  look: ['Apache: AH02522 "Ignoring response body from non-authoritative authorizer".'],
  absence: 'server',
  needs: ['role'],
  seen: ['lighttpd → test backend', 'lighttpd → libfcgi'],
  check({ role, outcome, response, streams }) {
    if (role !== 'authorizer' || outcome !== 'completed' || !response?.complete) return null;
    if (response.status !== 200 || response.length === 0 || streams.stdout.missing > 0) return null;
    const body = streams.stdout.bytes - response.length;
    if (body <= 0) return null;
    return {
      detail: `${body} bytes follow the header.`,
      evidence: [{ kind: 'bytes', stream: 'stdout', offset: response.length, length: body }],
    };
  },
});
