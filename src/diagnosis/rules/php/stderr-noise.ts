import { defineRule } from '../../rule.js';
import { stderrText } from '../../stderr-text.js';

export const stderrNoise = defineRule({
  id: 'stderr-noise',
  severity: 'note',
  title: 'The application wrote to STDERR',
  meaning: 'The application wrote to STDERR',
  layer: 'remark',
  certainty: 'allowed',
  remedies: {},
  seen: [],
  check(exchange) {
    const { bytes } = exchange.streams.stderr;
    if (bytes === 0) return null;
    const text = stderrText(exchange);
    if (/Primary script unknown|PHP (?:Fatal|Parse|Core|Compile) error/.test(text)) return null;
    return {
      detail: `${bytes} bytes: ${text.slice(0, 200).trim()}`,
      advice: ['Harmless by itself; nginx logs it as "FastCGI sent in stderr". Read it in the Stderr tab.'],
      evidence: [{ kind: 'stderr', text: text.slice(0, 200) }],
    };
  },
});
