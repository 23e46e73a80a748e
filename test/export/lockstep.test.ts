import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lockstep } from '../../src/export/lockstep.js';

/** A source that counts, and that a test lets go on. */
class Source {
  asked = 0;
  /** Whether it was asked while it was at work. */
  disturbed = false;
  private finish: ((error?: Error) => void) | null = null;

  readonly advance = (): Promise<void> => {
    this.asked += 1;
    this.disturbed ||= this.finish !== null;
    return new Promise((resolve, reject) => {
      this.finish = (error) => {
        this.finish = null;
        if (error) reject(error);
        else resolve();
      };
    });
  };

  async done(error?: Error): Promise<void> {
    this.finish?.(error);
    await turn();
  }
}

describe('Lockstep', () => {
  it('asks for more once, when the last of its members waits for more', async () => {
    const source = new Source();
    const step = new Lockstep(source.advance, 3);
    const woken: string[] = [];
    const wait = (name: string) => void step.next().then(() => woken.push(name));
    wait('a');
    wait('b');
    await turn();
    expect(source.asked).toBe(0);
    wait('c');
    await turn();
    expect(source.asked).toBe(1);
    expect(woken).toEqual([]);
    await source.done();
    expect(woken).toEqual(['a', 'b', 'c']);
    wait('b');
    await turn();
    expect(source.asked).toBe(1);
  });

  it('goes on without a member that leaves, whether the others wait already or not', async () => {
    const source = new Source();
    const step = new Lockstep(source.advance, 3);
    void step.next();
    void step.next();
    step.leave();
    expect(source.asked).toBe(1);
    await source.done();
    step.leave();
    expect(source.asked).toBe(1);
    void step.next();
    expect(source.asked).toBe(2);
    await source.done();
    step.leave();
    expect(source.asked).toBe(2);
    expect(source.disturbed).toBe(false);
  });

  it('tells every member of a failure, and may be asked again', async () => {
    const source = new Source();
    const step = new Lockstep(source.advance, 2);
    const failures: string[] = [];
    const wait = (): void => void step.next().catch((error: Error) => failures.push(error.message));
    wait();
    wait();
    await source.done(new Error('a defect'));
    expect(failures).toEqual(['a defect', 'a defect']);
    wait();
    wait();
    expect(source.asked).toBe(2);
    await source.done();
    expect(failures).toHaveLength(2);
  });

  it('holds nobody up, and never asks twice at a time, whoever is slow or leaves', async () => {
    const member = fc.record({ steps: fc.nat(8), pauses: fc.array(fc.nat(3), { maxLength: 8 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(member, { minLength: 1, maxLength: 5 }), async (members) => {
        let atWork = 0;
        let most = 0;
        let advances = 0;
        const step = new Lockstep(async () => {
          atWork += 1;
          most = Math.max(most, atWork);
          await turn();
          atWork -= 1;
          advances += 1;
        }, members.length);
        const taken = await Promise.all(
          members.map(async ({ steps, pauses }) => {
            let count = 0;
            for (let i = 0; i < steps; i += 1) {
              for (let pause = pauses[i] ?? 0; pause > 0; pause -= 1) await turn();
              await step.next();
              count += 1;
              // Nobody is ahead of the source, and nobody is behind it.
              expect(advances).toBe(count);
            }
            step.leave();
            return count;
          }),
        );
        expect(taken).toEqual(members.map(({ steps }) => steps));
        expect(advances).toBe(Math.max(...taken));
        expect(most).toBeLessThanOrEqual(1);
      }),
    );
  });
});
