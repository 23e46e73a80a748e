import type { Outcome } from '../model/exchange.js';
import type { Severity } from '../model/finding.js';

/** Select Graphic Rendition codes (ECMA-48): the sixteen colours that every terminal has and its user has chosen. */
const CODES = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2, bold: 1 } as const;

export type Colour = keyof typeof CODES;

/** Colours a text that is already padded and safe, or leaves it as it is. */
export type Paint = (colour: Colour | null, text: string) => string;

export function paint(on: boolean): Paint {
  if (!on) return (_colour, text) => text;
  return (colour, text) => (colour === null ? text : `\x1b[${CODES[colour]}m${text}\x1b[0m`);
}

export function severityColour(severity: Severity | null): Colour | null {
  return severity === 'error' ? 'red' : severity === 'warning' ? 'yellow' : severity === 'note' ? 'cyan' : null;
}

export function statusColour(status: number): Colour {
  if (status >= 500) return 'red';
  if (status >= 400) return 'yellow';
  return status >= 300 ? 'cyan' : 'green';
}

export function outcomeColour(outcome: Outcome | null): Colour | null {
  if (outcome === 'completed') return null;
  return outcome === null || outcome === 'aborted' || outcome === 'unfinished' ? 'yellow' : 'red';
}
