import { formatBytes } from './quantity.js';

/** How far a source with an end of its own has come. */
export interface SourceProgress {
  /** Bytes read so far, and how many there are; null where that is not known (a pipe). */
  readonly read: number;
  readonly size: number | null;
}

/** `reading 45% of 1.2GB`; `1.2GB read` where nobody knows how much there is. */
export function progressText({ read, size }: SourceProgress): string {
  if (size === null) return `${formatBytes(read)} read`;
  const percent = size === 0 ? 100 : Math.min(100, Math.floor((read / size) * 100));
  return `reading ${percent}% of ${formatBytes(size)}`;
}
