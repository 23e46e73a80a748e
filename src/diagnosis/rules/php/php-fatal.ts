import { defineRule } from '../../rule.js';
import { stderrText } from '../../stderr-text.js';

export const phpFatal = defineRule({
  id: 'php-fatal',
  severity: 'error',
  title: 'PHP stopped with a fatal error',
  meaning: 'PHP stopped with a fatal error',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {},
  seen: [],
  check(exchange) {
    if (exchange.streams.stderr.bytes === 0) return null;
    const found = /PHP (?:Fatal error|Parse error|Core error|Compile error):\s+([^\n]{1,300})/.exec(
      stderrText(exchange),
    );
    if (!found) return null;
    const text = found[1]!.trim();
    return { detail: text, advice: adviceFor(text), evidence: [{ kind: 'stderr', text }] };
  },
});

function adviceFor(text: string): readonly string[] {
  if (text.startsWith('Allowed memory size'))
    return ['Raise memory_limit, or find what takes so much (large uploads, unbounded queries).'];
  if (text.startsWith('Maximum execution time'))
    return ['Raise max_execution_time, or make the script faster (request_slowlog_timeout shows where it waits).'];
  return ['Mend the code at the file and line that the message names.'];
}
