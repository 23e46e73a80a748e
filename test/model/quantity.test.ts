import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBytes, formatDuration, parseBytes, parseDuration } from '../../src/model/quantity.js';

/** What the lists' columns are made for. */
const COLUMN = 6;

describe('formatDuration', () => {
  it.each([
    [null, '-'],
    [0, '0.00ms'],
    [0.001, '0.00ms'],
    [0.25, '0.25ms'],
    [9.994, '9.99ms'],
    [9.996, '10.0ms'],
    [12.5, '12.5ms'],
    [99.96, '100ms'],
    [980, '980ms'],
    [999.4, '999ms'],
    [999.6, '1.00s'],
    [1500, '1.50s'],
    [42_000, '42.0s'],
    [99_960, '1m40s'],
    [100_000, '1m40s'],
    [3_599_600, '1h00m'],
    [7_500_000, '2h05m'],
    [86_399_000, '1d00h'],
    [3 * 86_400_000 + 4 * 3_600_000, '3d04h'],
    [-12.5, '-12.5ms'],
  ])('%s is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('stays within its width and close to the value', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 86_400_000 * 99, noNaN: true }), (ms) => {
        const text = formatDuration(ms);
        expect(text.length).toBeLessThanOrEqual(COLUMN);
        expect(Math.abs(parseDuration(text)! - ms)).toBeLessThanOrEqual(Math.max(0.0051, ms * 0.021));
      }),
    );
  });
});

describe('parseDuration', () => {
  it.each([
    ['200ms', 200],
    ['1.5s', 1500],
    ['.5s', 500],
    ['2m', 120_000],
    ['1m40s', 100_000],
    ['1h 30m', 5_400_000],
    ['250us', 0.25],
    ['250µs', 0.25],
    ['1 s', 1000],
    ['0', 0],
  ])('%s is %s ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', 'ms', '5', '-5s', '1x', '1e3s', '1..5s', 's1', '5 5 s'])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeNull();
  });

  it('takes a number without a unit when told what it means', () => {
    expect(parseDuration('5', 's')).toBe(5000);
    expect(parseDuration('5', 'ms')).toBe(5);
  });
});

describe('formatBytes', () => {
  it.each([
    [null, '-'],
    [0, '0B'],
    [999, '999B'],
    [1000, '1.00kB'],
    [5120, '5.12kB'],
    [999_499, '999kB'],
    [999_500, '1.00MB'],
    [12_500_000, '12.5MB'],
    [1_500_000_000, '1.50GB'],
  ])('%s is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it('stays within its width and close to the value', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: Number.MAX_SAFE_INTEGER }).filter((bytes) => bytes < 999e12),
        (bytes) => {
          const text = formatBytes(bytes);
          expect(text.length).toBeLessThanOrEqual(COLUMN);
          expect(Math.abs(parseBytes(text)! - bytes)).toBeLessThanOrEqual(bytes * 0.0051);
        },
      ),
    );
  });
});

describe('parseBytes', () => {
  it.each([
    ['0', 0],
    ['512', 512],
    ['512B', 512],
    ['64k', 64_000],
    ['1MB', 1_000_000],
    ['1mb', 1_000_000],
    ['1.5 GiB', 1_610_612_736],
    ['2Ki', 2048],
  ])('%s is %s', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it.each(['', 'MB', '-1', '1XB', '1 0', '1e6'])('refuses %j', (text) => {
    expect(parseBytes(text)).toBeNull();
  });
});
