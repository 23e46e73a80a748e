import { paramValue } from '../../../model/param-value.js';
import { visibleText } from '../../../model/visible-text.js';
import { defineRule } from '../../rule.js';

export const filterDataLengthMismatch = defineRule({
  id: 'filter-data-length-mismatch',
  severity: 'error',
  title: 'The file that a filter gets does not have the length that was announced',
  meaning:
    'A filter is given a file on the DATA stream, and its length and time in the params FCGI_DATA_LENGTH and FCGI_DATA_LAST_MOD. A filter that believes a length that is too large waits for ever, or works on half a file.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: [
      'No common web server sends filter requests: mend the client that did. FCGI_DATA_LENGTH has to be the file’s size at the time when it is sent, and an empty DATA record follows the last byte.',
      'PHP-FPM runs a filter request as an ordinary one and does not look at DATA.',
    ],
  },
  look: ['The params FCGI_DATA_LENGTH and FCGI_DATA_LAST_MOD beside the DATA records of the Timeline tab.'],
  absence: 'client',
  needs: ['role'],
  seen: [],
  check({ role, params, paramsComplete, streams, outcome }) {
    if (role !== 'filter' || !paramsComplete) return null;
    const { data } = streams;
    if (data.missing > 0) return null;
    // Broken off, and not mistaken.
    if (!data.ended && outcome !== 'completed' && outcome !== 'rejected') return null;
    const text = paramValue(params, 'FCGI_DATA_LENGTH');
    if (text === null || !/^\d{1,15}$/.test(text)) {
      const what = text === null ? 'is missing' : `is "${visibleText(text, 40)}"`;
      return {
        detail: `FCGI_DATA_LENGTH ${what}, and ${data.bytes} bytes of DATA came.`,
        severity: 'warning',
        beside: true,
        evidence: [{ kind: 'param', name: 'FCGI_DATA_LENGTH' }],
      };
    }
    const evidence = [
      { kind: 'param', name: 'FCGI_DATA_LENGTH' },
      { kind: 'bytes', stream: 'data', offset: data.bytes, length: 0 },
    ] as const;
    const length = Number(text);
    if (length !== data.bytes) {
      const more = data.bytes > length;
      return {
        detail: `FCGI_DATA_LENGTH is ${length}, and ${data.bytes} bytes of DATA came${data.ended ? '' : ', without the empty record that ends them'}.`,
        ...(more ? { severity: 'warning', beside: true } : {}),
        evidence,
      };
    }
    if (paramValue(params, 'FCGI_DATA_LAST_MOD') === null) {
      return {
        detail: 'FCGI_DATA_LAST_MOD is missing.',
        severity: 'note',
        beside: true,
        evidence: [{ kind: 'param', name: 'FCGI_DATA_LAST_MOD' }],
      };
    }
    if (data.ended) return null;
    return { detail: 'The empty record that ends DATA did not come.', severity: 'warning', beside: true, evidence };
  },
});
