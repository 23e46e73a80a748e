import { defineRule } from '../../rule.js';

export const headerNotTerminated = defineRule({
  id: 'header-not-terminated',
  severity: 'error',
  title: 'The response’s header block has no end',
  meaning: 'The response’s header block has no end',
  layer: 'consequence',
  certainty: 'allowed',
  remedies: {},
  seen: [],
  check({ outcome, response, streams }) {
    if (
      outcome !== 'completed' ||
      streams.stdout.bytes === 0 ||
      streams.stdout.missing > 0 ||
      response?.complete !== false
    )
      return null;
    return {
      detail: `${streams.stdout.bytes} bytes of STDOUT, and no blank line that ends the header block.`,
      advice: [
        'Print an empty line (\\r\\n) after the last header, before the body.',
        'Or the program died after its headers: see STDERR and its log.',
      ],
    };
  },
});
