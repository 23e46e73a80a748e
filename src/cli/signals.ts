const STOPPING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * The signals that ask for an end. Taken from the moment it is made, so that none ends the process with half of it set up: those that
 * come before there is somebody to handle them are kept.
 */
export class Signals {
  private readonly early: NodeJS.Signals[] = [];
  private handler: ((signal: NodeJS.Signals) => void) | null = null;

  constructor() {
    for (const signal of STOPPING) process.on(signal, this.take);
  }

  /** Hears of each signal, those that have come already first. */
  handle(handler: (signal: NodeJS.Signals) => void): void {
    this.handler = handler;
    for (const signal of this.early.splice(0)) handler(signal);
  }

  /** From here on they do what they do by default. */
  release(): void {
    for (const signal of STOPPING) process.off(signal, this.take);
  }

  private readonly take = (signal: NodeJS.Signals): void => {
    if (this.handler !== null) this.handler(signal);
    else this.early.push(signal);
  };
}
