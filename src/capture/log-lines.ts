import { LINE_READ } from '../diagnosis/logs/log-entry.js';

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Cuts what is read of a log into its lines, without their ends. A line of any length takes bounded memory: what is beyond is left out. */
export class LogLines {
  /** Of the line that is not over yet. */
  private parts: Buffer[] = [];
  private held = 0;

  /** @param take is given each line that is over */
  constructor(private readonly take: (text: string) => void) {}

  push(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      const end = bytes.indexOf(NEWLINE, from);
      this.hold(bytes.subarray(from, end < 0 ? bytes.length : end));
      if (end < 0) return;
      this.finish();
      from = end + 1;
    }
  }

  /** The last line may have no end. */
  end(): void {
    if (this.held > 0) this.finish();
  }

  /** What was begun is not gone on with. */
  drop(): void {
    this.parts = [];
    this.held = 0;
  }

  private hold(bytes: Uint8Array): void {
    const part = bytes.subarray(0, Math.max(0, LINE_READ - this.held));
    if (part.length === 0) return;
    // A copy: what it was read into is used again.
    this.parts.push(Buffer.from(part));
    this.held += part.length;
  }

  private finish(): void {
    const line = this.parts.length === 1 ? this.parts[0]! : Buffer.concat(this.parts);
    this.drop();
    const end = line.at(-1) === RETURN ? line.length - 1 : line.length;
    this.take(line.toString('utf8', 0, end));
  }
}
