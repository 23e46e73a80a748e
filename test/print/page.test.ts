import { expect, it } from 'vitest';
import { Page } from '../../src/print/page.js';

it('makes visible what a terminal would obey, in short words too', () => {
  const page = new Page({ color: false });
  page.say('a \x1b[2J b\x07 \x9b31m \u202e c\nd', { indent: 2, mark: '- ' });
  const text = page.take();
  expect(text.replaceAll('\n', '')).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
  expect(text).toContain('␛[2J');
});

it('breaks between words at its width', () => {
  const page = new Page({ color: false, width: 40 });
  page.say('word '.repeat(30).trim());
  for (const line of page.take().split('\n')) expect(line.length).toBeLessThanOrEqual(40);
});
