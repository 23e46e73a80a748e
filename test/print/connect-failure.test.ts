import { expect, it } from 'vitest';
import { failureWords } from '../../src/print/connect-failure.js';

it('says why the backend could not be reached, visibly', () => {
  expect(failureWords({ reason: 'missing', errno: 'ENOENT', message: 'connect ENOENT /run/\x1bx.sock' })).toBe(
    'the backend could not be reached: its socket does not exist (connect ENOENT /run/␛x.sock)',
  );
});
