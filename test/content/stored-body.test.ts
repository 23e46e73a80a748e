import { describe, expect, it } from 'vitest';
import { StoredBody } from '../../src/content/stored-body.js';
import { storedExchange } from '../support/exchange-fixture.js';
import { FakeInspection } from '../support/fake-inspection.js';

const content = Uint8Array.from({ length: 700_000 }, (_, i) => (i * 31 + (i >> 8)) & 0xff);

async function read(body: StoredBody): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const slice of body) parts.push(slice);
  return Buffer.concat(parts);
}

describe('StoredBody', () => {
  it('gives a whole stream in slices', async () => {
    const inspection = new FakeInspection().put(storedExchange({ stdin: content }));
    const body = new StoredBody(inspection, 1, 'stdin');
    expect(Buffer.compare(await read(body), content)).toBe(0);
    expect(inspection.calls.length).toBeGreaterThan(2);
    expect(body).toMatchObject({ read: content.length, missing: 0, firstGap: null });
  });

  it('gives a part', async () => {
    const inspection = new FakeInspection().put(storedExchange({ stdin: content }));
    const part = await read(new StoredBody(inspection, 1, 'stdin', 300_000, 600_001));
    expect(Buffer.compare(part, content.subarray(300_000, 600_001))).toBe(0);
  });

  it('leaves out what is missing, and counts it', async () => {
    const gaps = { stdin: [[0, 5] as const, [250_000, 270_000] as const, [699_999, 700_000] as const] };
    const inspection = new FakeInspection().put(storedExchange({ stdin: content, gaps }));
    const body = new StoredBody(inspection, 1, 'stdin');
    const seen = Buffer.concat([content.subarray(5, 250_000), content.subarray(270_000, 699_999)]);
    expect(Buffer.compare(await read(body), seen)).toBe(0);
    expect(body).toMatchObject({ read: seen.length, missing: 20_006, firstGap: 0 });
  });

  it('is empty when the request is not kept any more', async () => {
    expect(await read(new StoredBody(new FakeInspection(), 9, 'stdout'))).toHaveLength(0);
  });
});
