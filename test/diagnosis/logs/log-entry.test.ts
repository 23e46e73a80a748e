import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logEntry } from '../../../src/diagnosis/logs/log-entry.js';
import { LOG_MESSAGES } from '../../../src/diagnosis/logs/messages/index.js';
import { KNOWN_LINES } from './known-lines.js';

function ids(line: string): string[] {
  return logEntry(line).messages.flatMap(({ message }) => message.modes);
}

describe('log messages', () => {
  it.each(KNOWN_LINES.map(([line, ...expected]) => ({ line, expected })))('$line', ({ line, expected }) => {
    expect(logEntry(line).messages).not.toEqual([]);
    const found = ids(line);
    expect(found).toEqual(expect.arrayContaining(expected));
    if (expected.length > 0) expect(found[0]).toBe(expected[0]);
  });

  it('has a line for every message that is known', () => {
    const seen = new Set(KNOWN_LINES.flatMap(([line]) => logEntry(line).messages.map(({ message }) => message)));
    const without = LOG_MESSAGES.filter((message) => !seen.has(message)).map(({ text }) => text);
    // Those that only differ in how old versions write them, or say in general what others say exactly.
    expect(without).toEqual([]);
  });

  it('says nothing of what it does not know', () => {
    for (const line of [
      '',
      '2026/11/20 12:00:00 [notice] 1#1: signal process started',
      '2026-11-20 12:00:00: (server.c.1704) server started (lighttpd/1.4.69)',
      '[20-Nov-2026 12:00:00] NOTICE: ready to handle connections',
      '127.0.0.1 - - [20/Nov/2026:12:00:00 +0000] "GET /EOF HTTP/1.1" 200 5',
      '{"level":"info","ts":1789000000.1,"msg":"server running"}',
    ])
      expect(logEntry(line).messages).toEqual([]);
  });

  it('never fails, whatever is in a line', () => {
    const beginnings = KNOWN_LINES.map(([line]) => line);
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom(...beginnings))),
        (parts) => {
          logEntry(parts.join(''));
        },
      ),
    );
  });

  // A line is cut at 32 KB: with each message looking at all of it once, this is milliseconds; squared, it would not end in time.
  it('ends with hostile lines, too', () => {
    for (const part of [
      '[pool ',
      'upstream timed out (',
      '[client ',
      ', client: ',
      '<b>',
      '(110: ',
      '[a] ',
      '1.1.1.1:1 [',
    ])
      for (let i = 0; i < 20; i++) expect(logEntry(part.repeat(100_000)).messages.length).toBeLessThan(2);
  });
});
