import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { CompiledFixture } from './compiled-fixture.js';

const fixture = new CompiledFixture(join(import.meta.dirname, 'fixtures', 'frames.ts'));
afterAll(() => fixture.remove());

describe('frames', () => {
  it('do not add up on the heap, though no two rows are the same', { timeout: 120_000 }, async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--expose-gc', fixture.program, '5000', '80', '24'],
      { env: { ...process.env, NODE_ENV: 'production' } },
    );
    const { heap } = JSON.parse(stdout) as { heap: number[] };
    expect(heap).toHaveLength(10);
    // 4 500 frames of 19 new rows each: kept, they would be more than 10 MB.
    expect(heap.at(-1)! - heap[0]!).toBeLessThan(2_000_000);
  });
});
