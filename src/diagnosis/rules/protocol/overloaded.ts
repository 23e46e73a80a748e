import { refusal } from '../../refusal.js';
import { defineRule } from '../../rule.js';

export const overloaded = defineRule({
  id: 'overloaded',
  severity: 'error',
  title: 'The backend refused the request because it is overloaded',
  meaning:
    'The application has a limit of its own (threads, requests at a time, a resource such as a database), has reached it, and said so by the status OVERLOADED. The web server does not pass that on: the browser gets a nondescript 502 or 500.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: [
      'Raise the application’s own limit (flup: maxThreads; others: workers, connections), or start another instance of it.',
      'Find what the requests wait for: the ones that were open at the same time are in the list.',
    ],
    nginx: [
      'A second server in upstream { } and fastcgi_next_upstream error timeout invalid_header; sends refused requests to it.',
    ],
    haproxy: ['maxconn on the server line: HAProxy then queues what is too much.'],
    'php-fpm': ['Never says this: something else answers on this port.'],
    libfcgi: ['Never says this by itself: look for it in the application.'],
  },
  look: ['The application’s own log at this time, and the requests of the same seconds in this program’s list.'],
  needs: ['failure'],
  seen: [],
  check(exchange) {
    return exchange.protocolStatus === 'overloaded' ? refusal(exchange, 'OVERLOADED') : null;
  },
});
