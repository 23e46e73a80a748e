import { lookup } from 'node:dns';

/**
 * Lookups share a pool of threads with the writing of files: where a disk hangs, one may never answer. After this many milliseconds the
 * addresses that a name had the last time are taken; a resolver that is only slow refreshes them for the next connection.
 */
const LOOKUP_PATIENCE = 100;

/** `addresses` has at least one unless there is an error. */
export type LookupDone = (error: NodeJS.ErrnoException | null, addresses: readonly string[]) => void;

/**
 * A host name and the addresses it had last. It is looked up for each connection, as it may have moved; connections that come while a
 * lookup is under way share it, so that one that hangs takes one thread and not all.
 */
export class HostName {
  /** Of the last lookup that succeeded; empty before. */
  private known: readonly string[] = [];
  private readonly waiting = new Set<LookupDone>();
  private lookingUp = false;
  /** The lookup under way has used up its patience. */
  private overdue = false;

  constructor(private readonly host: string) {}

  /** `done` may be called before this returns. Returns what gives the waiting up. */
  addresses(done: LookupDone): () => void {
    if (!this.lookingUp) this.lookUp();
    if (this.overdue && this.known.length > 0) done(null, this.known);
    else this.waiting.add(done);
    return () => this.waiting.delete(done);
  }

  private lookUp(): void {
    this.lookingUp = true;
    const patience = setTimeout(() => {
      this.overdue = true;
      if (this.known.length > 0) this.answer(null);
    }, LOOKUP_PATIENCE);
    patience.unref();
    lookup(this.host, { all: true }, (error, found) => {
      clearTimeout(patience);
      this.lookingUp = this.overdue = false;
      if (!error) this.known = found.map((each) => each.address);
      this.answer(error);
    });
  }

  private answer(error: NodeJS.ErrnoException | null): void {
    const waiting = [...this.waiting];
    this.waiting.clear();
    for (const done of waiting) done(error, this.known);
  }
}

const names = new Map<string, HostName>();

/** The one HostName of a name. Names come from the command line: there are few. */
export function hostName(host: string): HostName {
  const name = names.get(host) ?? new HostName(host);
  names.set(host, name);
  return name;
}
