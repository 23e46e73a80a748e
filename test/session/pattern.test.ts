import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern } from '../../src/session/pattern.js';

describe('against the built-in regular expressions', () => {
  const unit = fc.constantFrom('a', 'b', 'B', '1', '-', ' ', '\n', '.', 'é', '\u2028');
  const atom = fc.constantFrom(
    ...['a', 'b', 'B', '1', '.', '-', 'é', '\\d', '\\D', '\\w', '\\W', '\\s', '\\S', '\\.', '\\x61', '\\u0062', '\\n'],
    ...[
      '[ab]',
      '[^ab]',
      '[a-b1]',
      '[\\d-]',
      '[\\W]',
      '[^\\s\\w]',
      '[]',
      '[^]',
      '[-a]',
      '[\\]a]',
      '^',
      '$',
      '\\b',
      '\\B',
      ']',
      '}',
      '{',
    ],
  );
  const quantifier = fc.constantFrom('', '', '', '*', '+', '?', '*?', '+?', '{2}', '{1,2}', '{0,3}?', '{2,}', '{0}');
  const pattern = fc.letrec<{ any: string }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      atom,
      fc.tuple(tie('any'), tie('any')).map(([a, b]) => a + b),
      fc.tuple(tie('any'), tie('any')).map(([a, b]) => `${a}|${b}`),
      fc
        .tuple(fc.constantFrom('(', '(?:', '(?<name>'), tie('any'), quantifier)
        .map(([open, a, times]) => `${open}${a})${times}`),
      fc.tuple(atom, quantifier).map(([a, times]) => a + times),
    ),
  })).any;

  it('answers the same, and refuses nothing that they take', () => {
    let matched = 0;
    fc.assert(
      fc.property(
        pattern,
        fc.constantFrom('', 'i', 'm', 's', 'ims'),
        fc.array(fc.string({ unit }), { maxLength: 6 }),
        (source, flags, subjects) => {
          let expected: RegExp;
          try {
            // The same name twice, which only captures would mind.
            expected = new RegExp(source.replaceAll('(?<name>', '('), flags);
          } catch {
            return;
          }
          const found = compilePattern(flags === '' ? source : `(?${flags})${source}`);
          for (const subject of subjects) {
            if (expected.test(subject)) matched++;
            expect(found.test(subject), `/${source}/${flags} on ${JSON.stringify(subject)}`).toBe(
              expected.test(subject),
            );
          }
        },
      ),
      { numRuns: 5_000 },
    );
    expect(matched).toBeGreaterThan(1_000);
  });

  it('throws a SyntaxError and nothing else', () => {
    const piece = fc.constantFrom(...'()[]{}|*+?^$.\\,-:<=!aub1x09kdwpB'.split(''), '(?', '{1', '\\u{', '\\x');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(piece).map((parts) => parts.join('')),
        ),
        (source) => {
          try {
            compilePattern(source).test('aab1-');
          } catch (error) {
            expect(error).toBeInstanceOf(SyntaxError);
          }
        },
      ),
      { numRuns: 5_000 },
    );
  });
});

describe('expressions that backtracking cannot finish', () => {
  const subject = 'a'.repeat(100_000);

  it.each([
    '(a+)+$x',
    '(a|a)*b',
    '(a*)*b',
    'a*a*a*a*a*a*b',
    '(.*)*=.*',
    '(?:a?){100}a{100}b',
    '(x+x+)+y',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
  ])('%s', (source) => {
    expect(compilePattern(source).test(subject)).toBe(false);
  });

  it('forgets what it knows when that gets too much, and goes on', () => {
    // Each state is a set of places of the last 12 letters: 2^12 of them.
    const letters = Array.from({ length: 60_000 }, (_, at) => (((at * at * 7919) % 1_009) & 1 ? 'a' : 'b')).join('');
    const source = '(a|b)*a(a|b){11}c';
    expect(compilePattern(source).test(letters)).toBe(false);
    expect(compilePattern(source).test(`${letters}aaaaaaaaaaaac`)).toBe(true);
    const many = Array.from({ length: 60_000 }, (_, at) => String.fromCharCode(0x100 + at)).join('');
    expect(compilePattern('x|[^\\s\\S]').test(many)).toBe(false);
    expect(compilePattern('x|\uea00$').test(`${many}\uea00`)).toBe(true);
  });
});

describe('limits and refusals', () => {
  it.each([
    ['(a)\\1', 'backreferences'],
    ['(?=a)', 'lookahead'],
    ['(?<!a)b', 'lookbehind'],
    ['a(?i)b', 'flags like (?i)'],
    ['a{5,2}', 'out of order'],
    ['[b-a]', 'out of order'],
    ['a{2000}', 'too large'],
    ['(((){1000}){1000}){1000}', 'repeats too much'],
    [`${'('.repeat(1_000)}`, 'nested'],
    ['a**', 'nothing to repeat'],
    ['(a', 'without its )'],
    ['a)', 'without its ('],
    ['[a', 'without its ]'],
    ['a\\', 'backslash at the end'],
    ['\\p', 'not known'],
  ])('%s', (source, complaint) => {
    expect(() => compilePattern(source)).toThrow(SyntaxError);
    expect(() => compilePattern(source)).toThrow(complaint);
  });

  it('takes characters above the basic plane as two', () => {
    expect(compilePattern('^\\u{1F600}$').test('😀')).toBe(true);
    expect(compilePattern('^😀+$').test('😀')).toBe(true);
    expect(compilePattern('^..$').test('😀')).toBe(true);
  });
});
