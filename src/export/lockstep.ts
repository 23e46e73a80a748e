/**
 * Readers that drive their source together: when every one of them waits for more, it is asked for more, once. So the source is never
 * ahead of the slowest, and who leaves holds up nobody.
 */
export class Lockstep {
  #waiting: { resolve(): void; reject(error: unknown): void }[] = [];

  constructor(
    private readonly advance: () => Promise<unknown>,
    private members: number,
  ) {}

  /** Resolves when there may be more, or the end; rejects as `advance` does. */
  next(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#go();
    });
  }

  leave(): void {
    this.members -= 1;
    this.#go();
  }

  #go(): void {
    if (this.#waiting.length === 0 || this.#waiting.length < this.members) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.advance().then(
      () => {
        for (const { resolve } of waiting) resolve();
      },
      (error: unknown) => {
        for (const { reject } of waiting) reject(error);
      },
    );
  }
}
