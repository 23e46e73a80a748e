import { reactionWords } from '../../reactions.js';
import { defineRule } from '../../rule.js';

export const stdoutAfterEof = defineRule({
  id: 'stdout-after-eof',
  severity: 'warning',
  title: 'The backend sent more after it had ended its output',
  meaning:
    'An empty record says that the application’s output is over. More of it came after that, before the end of the request: a fault of the application’s FastCGI library, which web servers treat in different ways.',
  layer: 'consequence',
  certainty: 'proven',
  remedies: {
    any: [
      'Update the application’s FastCGI library; in one of your own, send the empty STDOUT record last, before END_REQUEST.',
    ],
    libfcgi: ['Print nothing after FCGX_Finish_r or FCGI_Finish.'],
  },
  look: ['The Records tab: which record follows the empty one.'],
  needs: ['problems'],
  absence: 'both',
  seen: [],
  check(exchange) {
    if (exchange.records.problems === 0) return null;
    const problem = exchange.problems.find(({ code, side }) => code === 'after-end-of-stream' && side === 'server');
    if (problem === undefined) return null;
    return {
      detail:
        `${problem.message}. ${problem.message.startsWith('STDOUT') ? reactionWords(exchange, REACTIONS) : ''}`.trimEnd(),
      severity: problem.message.startsWith('STDOUT') ? 'warning' : 'note',
    };
  },
});

const REACTIONS = {
  nginx: 'adds it to the page',
  lighttpd: 'adds it to the page',
  apache:
    'adds it to the page (mod_fcgid), or sends it behind the response, where the client takes it for the next one (mod_proxy_fcgi)',
  caddy: 'adds it to the page',
  haproxy: 'drops it',
  h2o: 'adds it to the page',
};
