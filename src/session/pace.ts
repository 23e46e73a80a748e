import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

/** How long a reader may work before traffic gets its turn. Below a frame, and below what a web server's connection would notice. */
const SLICE = 2;
/** How long it stands back when traffic did come: two thirds of the thread are the relay's. */
const STAND_BACK = 4;

/**
 * Cuts long work into slices, so that the relay in the same thread goes on. One per piece of work: `if (pace.isOver) await pace.turn()`.
 */
export class Pace {
  private began = performance.now();
  private seen: number;

  /** @param traffic counts what the relay has delivered so far */
  constructor(private readonly traffic: () => number) {
    this.seen = traffic();
  }

  get isOver(): boolean {
    return performance.now() - this.began > SLICE;
  }

  async turn(): Promise<void> {
    if (this.traffic() === this.seen) await nextTurn();
    else await sleep(STAND_BACK);
    this.seen = this.traffic();
    this.began = performance.now();
  }
}
