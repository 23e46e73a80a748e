import type { ViewState, ViewStore } from './view-store.js';

/**
 * Between the store, which changes as often as it likes, and the renderer, which shall draw a frame at most every FRAME_INTERVAL and
 * none that nobody can see: it holds the state of the frame that is shown, and moves on when it is time.
 */

/** Milliseconds: 20 frames a second. A frame costs some 10 ms; the process has other things to do. */
export const FRAME_INTERVAL = 50;

export class FrameClock {
  private shown: ViewState;
  private timer: NodeJS.Timeout | null = null;
  private last = Number.NEGATIVE_INFINITY;
  private readonly listeners = new Set<() => void>();
  private readonly unsubscribe: () => void;

  constructor(
    private readonly store: ViewStore,
    private readonly ready: () => boolean,
  ) {
    this.shown = store.getState();
    this.unsubscribe = store.subscribe(() => this.tick());
  }

  /** For React's useSyncExternalStore. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly state = (): ViewState => this.shown;

  /** The terminal takes frames again. */
  tick(): void {
    if (this.timer !== null || this.store.getState() === this.shown || !this.ready()) return;
    this.timer = setTimeout(
      () => {
        this.timer = null;
        if (!this.ready()) return;
        this.last = performance.now();
        this.shown = this.store.getState();
        for (const listener of this.listeners) listener();
      },
      Math.max(0, this.last + FRAME_INTERVAL - performance.now()),
    );
  }

  stop(): void {
    this.unsubscribe();
    if (this.timer !== null) clearTimeout(this.timer);
  }
}
