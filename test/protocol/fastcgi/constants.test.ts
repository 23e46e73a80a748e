import { expect, it } from 'vitest';
import {
  isKnownType,
  isManagementType,
  protocolStatusWord,
  RecordType,
  recordTypeName,
  roleWord,
} from '../../../src/protocol/fastcgi/constants.js';

it('names record types as the specification does', () => {
  for (const [name, code] of Object.entries(RecordType)) expect(recordTypeName(code)).toBe(name);
  expect(Object.values(RecordType)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect([0, 12, 255].map(recordTypeName)).toEqual(['type 0', 'type 12', 'type 255']);
  expect([0, 1, 11, 12].map(isKnownType)).toEqual([false, true, true, false]);
  expect([8, 9, 10, 11, 12].map(isManagementType)).toEqual([false, true, true, true, false]);
});

it('has words for roles and protocol statuses', () => {
  expect([1, 2, 3].map(roleWord)).toEqual(['responder', 'authorizer', 'filter']);
  expect([0, 4, 65_535].map(roleWord)).toEqual(['unknown-0', 'unknown-4', 'unknown-65535']);
  expect([0, 1, 2, 3].map(protocolStatusWord)).toEqual([
    'request-complete',
    'cant-mpx-conn',
    'overloaded',
    'unknown-role',
  ]);
  expect([4, 255].map(protocolStatusWord)).toEqual(['unknown-4', 'unknown-255']);
});
