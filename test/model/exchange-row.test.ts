import { describe, expect, it } from 'vitest';
import { rowOf, statusOf, worstFinding } from '../../src/model/exchange-row.js';
import { BEGIN, finding, STDOUT, storedExchange } from '../support/exchange-fixture.js';

describe('rowOf', () => {
  it('takes from a settled exchange what lists need', () => {
    const { exchange } = storedExchange({
      n: 7,
      stdin: 'a=b',
      stderr: 'oops',
      findings: [finding('slow', 'note'), finding('first'), finding('second')],
    });
    expect(rowOf(exchange)).toEqual({
      n: 7,
      connection: 1,
      requestId: 1,
      at: BEGIN,
      role: 'responder',
      outcome: 'completed',
      method: 'GET',
      url: 'http://shop.example/index.php?x=1',
      script: '/srv/www/index.php',
      status: 200,
      appStatus: 0,
      protocolStatus: 'request-complete',
      sizeIn: 3,
      sizeOut: STDOUT.length,
      stderrBytes: 4,
      ttfb: 12.5,
      total: 13.1,
      records: 9,
      problems: 0,
      findings: ['slow', 'first', 'second'],
      severity: 'error',
      waiting: null,
    });
  });

  it('leaves null what an open exchange does not have yet', () => {
    const row = rowOf(storedExchange({ outcome: null, stdout: '' }).exchange);
    expect(row).toMatchObject({ outcome: null, status: null, ttfb: null, total: null, severity: null });
  });
});

describe('statusOf', () => {
  it('is null without a complete header block', () => {
    expect(statusOf(storedExchange({ stdout: 'Status: 404 Not Found\r\nX-' }).exchange)).toBeNull();
    expect(statusOf(storedExchange({ stdout: 'Status: 404 Not Found\r\n\r\n' }).exchange)).toBe(404);
  });
});

describe('worstFinding', () => {
  it('is the first of the gravest', () => {
    expect(worstFinding([finding('a', 'note'), finding('b', 'warning'), finding('c', 'warning')])?.id).toBe('b');
    expect(worstFinding([])).toBeNull();
  });
});
