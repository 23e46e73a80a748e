import { describe, expect, it } from 'vitest';
import type { ConnectionEnd } from '../../src/model/exchange.js';
import { connectionEndWords } from '../../src/print/connection-end.js';
import { BEGIN, storedExchange } from '../support/exchange-fixture.js';

function words(end: Partial<ConnectionEnd>, lastRecordAt: number | null = BEGIN + 1000): string {
  const connectionEnd: ConnectionEnd = {
    endedBy: 'backend',
    how: 'fin',
    at: BEGIN + 13_300,
    afterRecords: 5,
    afterRecord: 'STDOUT record 4',
    ...end,
  };
  return connectionEndWords(storedExchange({ override: { connectionEnd } }).exchange, lastRecordAt);
}

describe('connectionEndWords', () => {
  it.each([
    [{ how: 'reset' }, 'the backend reset the connection 12.3 ms after STDOUT record 4'],
    [{}, 'the backend closed the connection 12.3 ms after STDOUT record 4'],
    [{ endedBy: 'web-server' }, 'the web server closed the connection 12.3 ms after STDOUT record 4'],
    [{ endedBy: 'timeout', how: 'timeout' }, 'nothing more was seen on the connection 12.3 ms after STDOUT record 4'],
    [
      { endedBy: 'capture-end', how: 'capture-end' },
      'the capture ended with the connection open 12.3 ms after STDOUT record 4',
    ],
    [{ afterRecord: null, afterRecords: 0 }, 'the backend closed the connection before any record of this request'],
  ] as const)('%j', (end, text) => {
    expect(words(end)).toBe(text);
  });

  it('leaves out the time when the record is not kept any more', () => {
    expect(words({ how: 'reset' }, null)).toBe('the backend reset the connection after STDOUT record 4');
  });

  it('says why the backend could not be reached, and when nobody ended it', () => {
    const failure = { reason: 'missing', errno: 'ENOENT', message: 'connect ENOENT /run/\x1bx.sock' } as const;
    expect(connectionEndWords(storedExchange({ override: { failure } }).exchange, null)).toBe(
      'the backend could not be reached: its socket does not exist (connect ENOENT /run/␛x.sock)',
    );
    expect(connectionEndWords(storedExchange().exchange, null)).toBe(
      'the connection was still open when the request was over',
    );
  });
});
