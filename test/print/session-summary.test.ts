import { describe, expect, it } from 'vitest';
import { summaryText } from '../../src/print/session-summary.js';
import { sessionSummary } from '../support/collected-output.js';

describe('summaryText', () => {
  it('says in a line what the session came to', () => {
    expect(summaryText(sessionSummary())).toBe('1 request on 1 connection in 20.0ms: 1 completed; no findings\n');
  });

  it('names everything that a reader must know, in one order', () => {
    const summary = sessionSummary({
      requests: 20,
      connections: 3,
      seconds: 61,
      outcomes: { undecodable: 1, 'backend-reset': 2, completed: 15 },
      findings: { error: 2, warning: 0, note: 1 },
      hidden: 4,
      evicted: 5,
      skipped: 6,
      lostBytes: 7_000,
    });
    expect(summaryText(summary)).toBe(
      '20 requests on 3 connections in 61.0s: 15 completed, 2 backend-reset, 1 undecodable; 2 errors, 1 note; ' +
        '4 not shown (filter); 5 evicted; 6 evicted before they could be written; 7.00kB could not be recorded\n',
    );
  });

  it('bears a session in which nothing happened', () => {
    expect(summaryText(sessionSummary({ requests: 0, connections: 0, outcomes: {}, seconds: 0 }))).toBe(
      'no requests on no connections in 0.00ms: no findings\n',
    );
  });
});
