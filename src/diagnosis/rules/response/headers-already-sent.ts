import { visibleText } from '../../../model/visible-text.js';
import { defineRule } from '../../rule.js';
import { stderrText } from '../../stderr-text.js';

export const headersAlreadySent = defineRule({
  id: 'headers-already-sent',
  severity: 'warning',
  title: 'PHP could not send a header: the page had begun already',
  meaning:
    'Headers (redirects, cookies, sessions) go out before the first byte of the page. Something was printed too early, so PHP left the header out: the redirect does not happen, or the login is forgotten.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    php: [
      'Remove what is printed at the place named after "output started at": an echo, white space or a byte order mark before <?php, white space behind ?>.',
      'display_errors = Off, when what is printed there is a warning.',
      'output_buffering = 4096 in php.ini hides it: pages shorter than that begin later.',
    ],
  },
  look: ['The file and line that the message names: head -c 3 FILE | xxd shows a byte order mark (efbbbf).'],
  needs: ['stderr'],
  seen: ['nginx → PHP-FPM', 'lighttpd → PHP-FPM'],
  check(exchange) {
    if (exchange.streams.stderr.bytes === 0) return null;
    const found = /[^\n;]{0,200}headers (?:already sent|have already been sent)[^\n;]{0,300}/.exec(
      stderrText(exchange),
    );
    if (found === null) return null;
    const text = visibleText(found[0].replace(/^.*PHP [A-Z]\w+:\s+/, '').trim(), SHOWN);
    return { detail: `PHP says: "${text}".`, evidence: [{ kind: 'stderr', text }] };
  },
});

const SHOWN = 300;
