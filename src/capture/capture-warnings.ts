/** How many warnings of one input are written out. A file that is damaged all over has thousands, and one would hide the next. */
export const WARNINGS_LIMIT = 20;

/** Words the warnings about one input, and counts those that come after the first WARNINGS_LIMIT. */
export class CaptureWarnings {
  private count = 0;

  constructor(
    private readonly name: string,
    private readonly sink: (line: string) => void,
  ) {}

  /** @param offset of the byte that it is about, in the input or in what it unpacks to */
  warn(text: string, offset: number): void {
    this.count += 1;
    if (this.count <= WARNINGS_LIMIT) this.sink(`${this.name}: ${text} (byte ${offset})`);
  }

  /** To be called when the input is at its end. */
  end(): void {
    const more = this.count - WARNINGS_LIMIT;
    if (more > 0) this.sink(`${this.name}: ${more} more such ${more === 1 ? 'warning' : 'warnings'}`);
  }
}
