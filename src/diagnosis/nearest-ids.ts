/** Few enough to be read as an answer. */
const GIVEN = 3;
/** Ids with more than this share of their letters wrong are no guess at all. */
const WRONG_AT_MOST = 0.5;

/** The ids that somebody who wrote `wanted` may have meant, the nearest first: those that hold it, then those written nearly so. */
export function nearestIds(wanted: string, ids: readonly string[]): string[] {
  const sought = wanted.toLowerCase();
  return ids
    .map((id) => ({ id, distance: distance(sought, id) }))
    .filter(({ distance }) => distance < WRONG_AT_MOST)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, GIVEN)
    .map(({ id }) => id);
}

/** From 0 (the same) to 1 (nothing in common). Words count beside letters: `killed-worker` is near to `worker-killed`. */
function distance(wanted: string, id: string): number {
  if (wanted.length > 2 * id.length) return 1;
  const letters = editDistance(wanted, id) / Math.max(wanted.length, id.length);
  const known = new Set(id.split('-'));
  const words = wanted.split(/[^a-z0-9]+/).filter((word) => word !== '');
  const shared = words.filter((word) => known.has(word)).length;
  const strange = 1 - (2 * shared) / Math.max(1, words.length + known.size);
  const part = wanted.length > 2 && id.includes(wanted) ? 1 - wanted.length / id.length : 1;
  return Math.min(letters, strange, part / 2);
}

/** How many letters must be put in, taken out or replaced (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
