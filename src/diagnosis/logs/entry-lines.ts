import { logHead } from './log-head.js';

/**
 * Joins the lines of one entry of a log. nginx passes on what came on STDERR with its line ends, and says only behind all of it which
 * request it was about; PHP writes a stack trace on lines of its own. Those lines have no head. Other products escape line ends, or begin
 * each line anew, and put lines of backends beside their own, which are entries by themselves.
 */
export class EntryLines {
  private held: string[] = [];
  private characters = 0;
  private first: number | null = null;

  /** @param take is given each entry that is over, and the number of its first line */
  constructor(private readonly take: (text: string, line: number | null) => void) {}

  /** @param line its number, where that is known */
  push(text: string, line: number | null): void {
    if (this.held.length > 0) {
      if (this.isContinued(text)) {
        this.hold(text);
        return;
      }
      this.end();
    }
    if (!mayGoOn(text)) {
      this.take(text, line);
      return;
    }
    this.first = line;
    this.hold(text);
  }

  get isHolding(): boolean {
    return this.held.length > 0;
  }

  /** Nothing more comes, or not soon enough. */
  end(): void {
    if (this.held.length === 0) return;
    const text = this.held.join('\n');
    this.held = [];
    this.characters = 0;
    this.take(text, this.first);
  }

  private hold(text: string): void {
    this.held.push(text);
    this.characters += text.length + 1;
  }

  private isContinued(text: string): boolean {
    if (this.held.length === LINES_JOINED || this.characters + text.length > CHARACTERS_JOINED) return false;
    return logHead(text).product === null;
  }
}

/** nginx cuts an entry at 2 or 4 KB; a stack trace has a line for each call. */
const LINES_JOINED = 50;
const CHARACTERS_JOINED = 32 * 1024;

function mayGoOn(text: string): boolean {
  if (text.includes(' in stderr: "')) return logHead(text).product === 'nginx';
  return text.startsWith('[') && text.includes('] PHP ') && logHead(text).product === 'php';
}
