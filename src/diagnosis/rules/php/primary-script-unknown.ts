import { paramValue } from '../../../model/param-value.js';
import { defineRule } from '../../rule.js';
import { stderrText } from '../../stderr-text.js';

export const primaryScriptUnknown = defineRule({
  id: 'primary-script-unknown',
  severity: 'error',
  title: 'PHP-FPM does not find the script',
  meaning: 'PHP-FPM does not find the script',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {},
  seen: [],
  check(exchange) {
    if (exchange.streams.stderr.bytes === 0 || !stderrText(exchange).includes('Primary script unknown')) return null;
    const script = paramValue(exchange.params, 'SCRIPT_FILENAME');
    return {
      detail: script
        ? `SCRIPT_FILENAME is ${script}: no such file for the backend.`
        : 'SCRIPT_FILENAME is empty or missing.',
      advice: [
        'Does the file exist where PHP-FPM runs (another container, chroot, mount)? The path must be the same on both sides.',
        'nginx: fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; with the right root; with alias use $request_filename.',
        'The pool’s user must be able to read every directory on the way: namei -l PATH.',
        'A file that is really absent is nginx’s to answer: try_files $fastcgi_script_name =404;',
      ],
      evidence: [{ kind: 'param', name: 'SCRIPT_FILENAME' }],
    };
  },
});
