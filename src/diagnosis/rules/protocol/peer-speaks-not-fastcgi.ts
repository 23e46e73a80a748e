import { defineRule } from '../../rule.js';

export const peerSpeaksNotFastcgi = defineRule({
  id: 'peer-speaks-not-fastcgi',
  severity: 'error',
  title: 'Something that does not speak FastCGI connects to the FastCGI port',
  meaning: 'Something that does not speak FastCGI connects to the FastCGI port',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {},
  seen: [],
  check({ problems }) {
    const problem = problems.find(({ code, side }) => code === 'foreign-protocol' && side === 'client');
    if (!problem) return null;
    return {
      detail: problem.message,
      advice: [
        'nginx: fastcgi_pass, not proxy_pass, uwsgi_pass or scgi_pass, for this port.',
        'A browser, a health check or an ingress that speaks HTTP must go to the web server’s port.',
        'A load balancer in between must not send the PROXY protocol (HAProxy: no send-proxy).',
      ],
    };
  },
});
