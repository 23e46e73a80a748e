import { describe, expect, it } from 'vitest';
import { rowOf } from '../../src/model/exchange-row.js';
import { packRows, unpackRows } from '../../src/session/packed-rows.js';
import { finding, storedExchange } from '../support/exchange-fixture.js';

describe('packed rows', () => {
  it('come out as they went in, every field of them', () => {
    const rows = [
      rowOf(storedExchange({ n: 1 }).exchange),
      rowOf(
        storedExchange({
          n: 2,
          outcome: 'rejected',
          stdin: 'abc',
          stderr: 'x',
          findings: [finding('a'), finding('b', 'note')],
        }).exchange,
      ),
      rowOf(
        storedExchange({ n: 3, allParams: [], stdout: '', override: { appStatus: null, protocolStatus: null } })
          .exchange,
      ),
    ];
    // No two fields of this one are alike, so that none can be taken for another.
    const distinct = Object.fromEntries(
      Object.entries(rows[1]!).map(([key, value], index) => [
        key,
        typeof value === 'number' ? index + 0.5 : Array.isArray(value) ? value : `${key} ${index}`,
      ]),
    ) as never as (typeof rows)[0];
    const all = [...rows, distinct];
    expect(unpackRows(structuredClone(packRows(all)))).toEqual(all);
    expect(unpackRows(packRows([]))).toEqual([]);
  });
});
