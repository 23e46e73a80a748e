import { defineRule } from '../../rule.js';

export const paramsMissingCore = defineRule({
  id: 'params-missing-core',
  severity: 'error',
  title: 'REQUEST_METHOD is missing, and PHP does nothing without it',
  meaning:
    'The web server did not tell the backend what is asked for. Without REQUEST_METHOD PHP-FPM answers with an empty page and logs nothing at all.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    nginx: [
      'any fastcgi_param in a location discards all that it would inherit: add include fastcgi.conf; to that very location.',
      'include fastcgi.conf; in place of fastcgi_params, which has no SCRIPT_FILENAME.',
    ],
    any: [
      'lighttpd, Apache, Caddy, HAProxy and h2o always send it: there, look for a health check, script or proxy of one’s own. It has to send REQUEST_METHOD, SCRIPT_FILENAME, SCRIPT_NAME and QUERY_STRING at least.',
    ],
  },
  look: ['The Params tab: what did come. nginx -T prints the configuration that is in force, includes and all.'],
  absence: 'both',
  needs: ['request'],
  seen: ['nginx → PHP-FPM'],
  check({ method, role, paramsComplete, outcome, streams, response, params }) {
    if (method !== null && method !== '') return null;
    if (role !== 'responder' || outcome !== 'completed' || !paramsComplete) return null;
    const { stdout } = streams;
    const blank = stdout.missing === 0 && response !== null && response.length > 0 && stdout.bytes <= response.length;
    return {
      detail: `REQUEST_METHOD is not among the ${params.length} params. ${blank ? 'The answer is a header and no page.' : 'The application answered all the same.'}`,
      ...(blank ? {} : { severity: 'warning', beside: true }),
      evidence: [{ kind: 'param', name: 'REQUEST_METHOD' }],
    };
  },
});
