import type { TiedLine } from './corroborate.js';
import type { LogMessage } from './log-message.js';
import type { LogSubject } from './log-subject.js';
import { type DatedEntry, speaksOf, tieOf } from './log-tie.js';

/**
 * Which of several lines with one message is about which of several requests. Most logs tell the second only, and many lines do not name
 * their request, so that a line can be about any request that failed at that time. When there is a line for each of them, they are
 * dealt out in the order of time, and it is sure; when there are fewer, each goes to the request that is nearest in time, and it is not sure.
 * No line is shown with two requests, but for those that concern all.
 */

export interface Claim {
  readonly tied: readonly TiedLine[];
  /** Other requests that the same lines may be about, when there are too few lines for all. */
  readonly rivals: readonly number[];
}

const NOTHING: Claim = { tied: [], rivals: [] };
/** More requests than these at one time are not told apart. */
const CLAIMANTS_LOOKED_AT = 50;

/**
 * @param lines with the same message, of about the time of the request, in their order
 * @param subjects requests with findings of about that time, the request itself among them when it has any
 */
export function claim(subject: LogSubject, lines: readonly DatedEntry[], subjects: readonly LogSubject[]): Claim {
  const mine = lines.filter((line) => tieOf(line, subject) !== null);
  if (mine.length === 0) return NOTHING;
  const messages = mine[0]!.entry.messages.map(({ message }) => message);
  if (messages.length === 0 || messages.some(isOfMany)) return all(mine, true);
  const spoken = subjects.filter(({ findings }) =>
    findings.some((finding) => messages.some((message) => speaksOf(message, finding))),
  );
  if (!spoken.some(({ n }) => n === subject.n)) {
    // Somebody else has better claims: a request that went well, at the time at which another to the same URL failed.
    return spoken.some((other) => mine.some((line) => tieOf(line, other) !== null)) ? NOTHING : all(mine, true);
  }
  const { claimants, claimed } = neighbourhood(subject, lines, spoken);
  if (claimants.length === 1) {
    // More of them are about requests that are not seen yet, or not at all. A line that names its request may have companions.
    const named = mine.filter((line) => tieOf(line, subject) === 'named');
    return all(named.length > 0 ? named : mine.slice(0, 1), true);
  }
  const isCrowd = claimants.length > CLAIMANTS_LOOKED_AT;
  const dealt = isCrowd ? null : deal(claimants, claimed);
  if (dealt !== null) return all([dealt.get(subject.n)!], true);
  const rivals = claimants.map(({ n }) => n).filter((n) => n !== subject.n);
  const named = mine.filter((line) => tieOf(line, subject) === 'named');
  const near = isCrowd ? undefined : nearest(claimants, claimed).get(subject.n);
  return { ...all(near === undefined ? named : [...named, near], false), rivals };
}

/** Those that a line could also be about, those that the lines of these could also be about, and so on. */
function neighbourhood(
  subject: LogSubject,
  lines: readonly DatedEntry[],
  spoken: readonly LogSubject[],
): { readonly claimants: readonly LogSubject[]; readonly claimed: readonly DatedEntry[] } {
  const claimants = new Set<LogSubject>();
  const claimed = new Set<DatedEntry>();
  let fresh = spoken.filter(({ n }) => n === subject.n);
  while (fresh.length > 0 && claimants.size <= CLAIMANTS_LOOKED_AT) {
    for (const one of fresh) claimants.add(one);
    const more = lines.filter((line) => !claimed.has(line) && fresh.some((one) => tieOf(line, one) !== null));
    for (const line of more) claimed.add(line);
    fresh = spoken.filter((one) => !claimants.has(one) && more.some((line) => tieOf(line, one) !== null));
  }
  return {
    claimants: [...claimants].sort((a, b) => (a.end ?? 0) - (b.end ?? 0)),
    claimed: lines.filter((line) => claimed.has(line)),
  };
}

/** A line for each, the earlier ones for the earlier ones; null when there is not one for each. */
function deal(claimants: readonly LogSubject[], lines: readonly DatedEntry[]): ReadonlyMap<number, DatedEntry> | null {
  const left = [...lines];
  const dealt = new Map<number, DatedEntry>();
  for (const one of claimants) {
    const at = left.findIndex((line) => tieOf(line, one) !== null);
    if (at < 0) return null;
    dealt.set(one.n, left[at]!);
    left.splice(at, 1);
  }
  return dealt;
}

/** Lines that name no request, each for the one nearest to it that has none yet. */
function nearest(claimants: readonly LogSubject[], lines: readonly DatedEntry[]): ReadonlyMap<number, DatedEntry> {
  const dealt = new Map<number, DatedEntry>();
  const served = new Set(claimants.filter((one) => lines.some((line) => tieOf(line, one) === 'named')));
  for (const line of lines) {
    const fitting = claimants.filter((one) => !served.has(one) && tieOf(line, one) === 'fits');
    const [first] = fitting.sort((a, b) => distance(line, a) - distance(line, b));
    if (first === undefined) continue;
    dealt.set(first.n, line);
    served.add(first);
  }
  return dealt;
}

/** Microseconds between the end of a request and the time within which a line was written. */
function distance({ at, resolution }: DatedEntry, { end }: LogSubject): number {
  if (at === null || end === null) return Number.POSITIVE_INFINITY;
  return Math.max(at - end, end - (at + resolution), 0);
}

function all(lines: readonly DatedEntry[], isSure: boolean): Claim {
  return { tied: lines.map((line) => ({ line, isSure })), rivals: [] };
}

/** Said once of what concerns all requests of a backend. */
function isOfMany({ proves }: LogMessage): boolean {
  return proves.includes('pool-exhausted') || proves.includes('backend-restart-gap');
}
