import { describe, expect, it } from 'vitest';
import { FlowWatch, Talk } from '../support/flow-watch.js';

describe('a connection in order', () => {
  it('opens with its first bytes, keeps the order of the two sides, and ends with both', () => {
    const watch = new FlowWatch();
    new Talk(watch)
      .shake()
      .say('client', '>ask')
      .ack('server')
      .say('server', 'answer')
      .fin('client')
      .fin('server')
      .ack('client');
    expect(watch.told()).toEqual(['open', '>>ask', '<answer', '> fin', '< fin', 'closed']);
    const [open, bytes] = watch.events;
    expect(open).toMatchObject({
      at: 1_000_010,
      client: { kind: 'tcp', host: '10.0.0.1', port: 40_000 },
      server: { kind: 'tcp', host: '10.0.0.2', port: 9000 },
    });
    expect(bytes).toMatchObject({ at: 1_000_040, origin: 1_000 + 3 * (40 + 16) + 40 });
  });

  it('ends what is open when the capture does', () => {
    const watch = new FlowWatch();
    new Talk(watch).shake().say('client', '>ask').fin('client');
    watch.table.finish();
    expect(watch.told()).toEqual(['open', '>>ask', '> fin', '< capture-end', 'closed']);
  });
});
