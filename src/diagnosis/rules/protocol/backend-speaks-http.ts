import { defineRule } from '../../rule.js';

export const backendSpeaksHttp = defineRule({
  id: 'backend-speaks-http',
  severity: 'error',
  title: 'The backend does not speak FastCGI',
  meaning: 'The backend does not speak FastCGI',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {},
  seen: [],
  check({ problems }) {
    const problem = problems.find(({ code, side }) => code === 'foreign-protocol' && side === 'server');
    if (!problem) return null;
    return {
      detail: problem.message,
      advice: [
        'An HTTP server behind the port needs proxy_pass (nginx), reverse_proxy (Caddy), ProxyPass http:// (Apache).',
        'Or name the right port: PHP-FPM’s is in "listen =" of its pool file; the image php:apache is no php:fpm.',
      ],
    };
  },
});
