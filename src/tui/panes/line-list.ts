import type { Line } from '../paint.js';
import type { PaneContent, PaneLine, PaneView } from './pane.js';

/** Content whose lines are all at hand. They are laid out once for a width, and again only when it changes. */
export class LineList implements PaneContent {
  private laidOut: { readonly width: number; readonly lines: readonly Line[] } | null = null;

  constructor(
    /** What the lines were made of: the same source needs no new list. */
    readonly source: unknown,
    private readonly layOut: (width: number) => readonly Line[],
  ) {}

  extent(view: PaneView): number {
    return this.at(view.width).length;
  }

  room(view: PaneView): number {
    return view.height;
  }

  lines(view: PaneView): PaneLine[] {
    return this.at(view.width)
      .slice(view.top, view.top + view.height)
      .map((line) => ({ line }));
  }

  private at(width: number): readonly Line[] {
    if (this.laidOut?.width !== width) this.laidOut = { width, lines: this.layOut(width) };
    return this.laidOut.lines;
  }
}
