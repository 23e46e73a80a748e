import type { ViewState, ViewStore } from './view-store.js';

/**
 * Between the store, which changes as often as it likes, and the renderer, which shall draw a frame at most every FRAME_INTERVAL and
 * none that nobody can see: it holds the state of the frame that is shown, and moves on when it is time.
 */

/** Milliseconds: 20 frames a second. A frame costs some 10 ms; the process has other things to do. */
export const FRAME_INTERVAL = 50;

/** Milliseconds that a frame waits for what is being fetched to fill it: an empty pane in between would be a flicker. */
const PATIENCE = 40;

/** What the renderer sees of it: a state that changes once a frame. */
export interface FrameSource {
  readonly subscribe: (listener: () => void) => () => void;
  readonly state: () => ViewState;
}

export class FrameClock implements FrameSource {
  private shown: ViewState;
  private timer: NodeJS.Timeout | null = null;
  private due = Number.POSITIVE_INFINITY;
  private last = Number.NEGATIVE_INFINITY;
  private readonly listeners = new Set<() => void>();
  private readonly unsubscribe: () => void;

  /** @param ready whether the terminal takes a frame now */
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

  /** Something has changed, or the terminal takes frames again. */
  tick(): void {
    const state = this.store.getState();
    if (state === this.shown || !this.ready()) return;
    const now = performance.now();
    const due = Math.max(this.last + FRAME_INTERVAL, now + (awaiting(state) ? PATIENCE : 0));
    // The first promise holds: what goes on changing must not put the frame off for ever.
    if (due >= this.due) return;
    this.stop();
    this.due = due;
    this.timer = setTimeout(() => this.show(), due - now);
  }

  private stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.due = Number.POSITIVE_INFINITY;
  }

  close(): void {
    this.stop();
    this.unsubscribe();
  }

  private show(): void {
    this.stop();
    if (!this.ready()) return;
    this.last = performance.now();
    this.shown = this.store.getState();
    for (const listener of this.listeners) listener();
  }
}

/** The detail is open and what it shall show is on its way. */
function awaiting({ detailOpen, selected, content, gone }: ViewState): boolean {
  return detailOpen && selected !== null && content === null && !gone;
}
