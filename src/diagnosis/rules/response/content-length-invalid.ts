import { visibleText } from '../../../model/visible-text.js';
import { declaredLength, headerFacts } from '../../header-facts.js';
import { reactionWords } from '../../reactions.js';
import { defineRule } from '../../rule.js';

export const contentLengthInvalid = defineRule({
  id: 'content-length-invalid',
  severity: 'error',
  title: 'The response’s Content-Length is no number, or not the only one',
  meaning:
    'Content-Length says how long the response’s body is. Here it is no number, stands there twice, or stands beside a Transfer-Encoding, which contradicts it. Newer web servers refuse that, because it is a way to smuggle requests.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: ['Do not set Content-Length by hand, or set it in one place only, as plain digits.'],
    php: [
      'header("Content-Length: …") replaces the one before it; header("Content-Length: …", false) adds a second: look for that.',
    ],
  },
  look: [
    'nginx’s error log: "upstream sent invalid "Content-Length" header", "upstream sent duplicate header line" or "at the same time"; h2o’s: "received multiple content-length headers from fcgi".',
  ],
  needs: ['headers'],
  absence: 'server',
  seen: [
    'nginx → libfcgi',
    'lighttpd → libfcgi',
    'Apache mod_proxy_fcgi → libfcgi',
    'Caddy → libfcgi',
    'HAProxy → libfcgi',
    'nginx → PHP-FPM',
    'lighttpd → PHP-FPM',
  ],
  check(exchange) {
    const { response } = exchange;
    if (response === null) return null;
    const facts = headerFacts(response);
    const { contentLength, secondContentLength, transferEncoding } = facts;
    if (contentLength === null) return null;
    const evidence = [{ kind: 'header', name: 'Content-Length' }] as const;
    if (secondContentLength !== null) {
      const same = secondContentLength === contentLength;
      return {
        detail: `Content-Length was sent twice: "${visibleText(contentLength, 40)}" and "${visibleText(secondContentLength, 40)}". ${reactionWords(exchange, same ? ALIKE : UNLIKE)}`,
        severity: same ? 'warning' : 'error',
        beside: same,
        evidence,
      };
    }
    if (declaredLength(facts) === null) {
      return {
        detail: `Content-Length is "${visibleText(contentLength, 40)}". ${reactionWords(exchange, NO_NUMBER)}`,
        evidence,
      };
    }
    if (transferEncoding === null) return null;
    return {
      detail: `Content-Length ${contentLength} stands beside Transfer-Encoding "${visibleText(transferEncoding, 40)}". ${reactionWords(exchange, BESIDE)}`,
      evidence: [...evidence, { kind: 'header', name: 'Transfer-Encoding' }],
    };
  },
});

const ALIKE = {
  nginx: 'passes it on once, or answers 502, as its version is',
  lighttpd: 'passes it on',
  apache: 'drops it (mod_proxy_fcgi)',
  caddy: 'passes it on',
  haproxy: 'passes it on',
  h2o: 'answers 503',
};
const UNLIKE = {
  nginx: '1.22 passes the last on, newer ones answer 502',
  lighttpd: 'takes one of them',
  apache: 'drops both (mod_proxy_fcgi)',
  caddy: 'leaves its client waiting for the rest',
  haproxy: 'answers 502',
  h2o: 'answers 503',
};
const NO_NUMBER = {
  nginx: '1.22 passes the response on without it, newer ones answer 502',
  lighttpd: 'passes it on as it stands, and the client gives up',
  apache: 'drops it (mod_proxy_fcgi)',
  caddy: 'passes the response on without it',
  haproxy: 'answers 502',
  h2o: 'answers 503',
};
const BESIDE = {
  nginx: '1.22 takes one of the two, newer ones answer 502',
};
