import { describe, expect, it } from 'vitest';
import { campaign } from '../support/fuzz/campaign.js';

/** A short run of what `npm run fuzz` does for as long as one likes, with a seed that stays. */
describe('fuzz', () => {
  it.each(['ndjson', 'har'] as const)(
    'passes on whatever it is given, and says so (%s)',
    async (outputs) => {
      const { faults, connections } = await campaign({ seed: 2, milliseconds: 3_000, lanes: 12, outputs });
      expect(faults).toEqual([]);
      expect(connections).toBeGreaterThan(50);
    },
    180_000,
  );
});
