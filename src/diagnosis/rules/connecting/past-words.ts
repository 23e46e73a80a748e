import { formatDuration } from '../../../model/quantity.js';
import type { Surroundings } from '../../../model/surroundings.js';

/** What the backend had done before it could not be reached, as a further sentence; empty when it was never heard. */
export function pastWords(surroundings: Surroundings | null): string {
  if (surroundings === null || surroundings.backend.answered === 0) return '';
  const { answered, sinceAnswer } = surroundings.backend;
  return ` It had answered ${answered} ${answered === 1 ? 'request' : 'requests'} before, the last ${formatDuration(sinceAnswer)} earlier.`;
}
