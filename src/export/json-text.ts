import { base64 } from './text-writer.js';

/**
 * JSON put together from pieces. Requests repeat most of what they say: the text of a name-value pair that was written lately is looked
 * up by its name, and what is new costs no object of its own. That takes a sixth of the time of JSON.stringify over an object of the same
 * content, which has to look at every character and to make the object first.
 */

/** What needs no escape in JSON; a lone surrogate does. */
const PLAIN = /^[ !#-[\]-~]*$/;

export function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

export function quotedOrNull(text: string | null): string {
  return text === null ? 'null' : quoted(text);
}

export interface Pair {
  readonly name: string;
  readonly value: string;
  readonly bytes?: Uint8Array;
}

/** Different names remembered; when there are more, the memory starts anew. */
const NAMES = 1_000;
/** Values of one name: what several browsers send, say. */
const VALUES = 8;
/** Of longer ones, which are hardly ever repeated, nothing is remembered. */
const LONGEST = 256;

/** What is remembered of a name: its values in the order in which they will be forgotten, from `next` on. */
interface Known {
  readonly opening: string;
  readonly values: string[];
  readonly texts: string[];
  next: number;
}

/** Pairs as `["name","value"]`, their values as `shown` makes them. */
export class PairTexts {
  readonly #known = new Map<string, Known>();

  /** @param shown the value that is to be shown; must depend on nothing else */
  constructor(private readonly shown: (name: string, value: string) => string) {}

  text(pair: Pair): string {
    const { name, value } = pair;
    const known = this.#known.get(name) ?? this.#meet(name);
    const at = known.values.indexOf(value);
    if (at >= 0 && pair.bytes === undefined) return known.texts[at]!;
    const shown = this.shown(name, value);
    // The exact bytes hold the same secret.
    if (pair.bytes !== undefined && shown === value) return `${known.opening}{"base64":"${base64(pair.bytes)}"}]`;
    const text = `${known.opening}${quoted(shown)}]`;
    if (value.length <= LONGEST && pair.bytes === undefined) {
      known.values[known.next] = value;
      known.texts[known.next] = text;
      known.next = (known.next + 1) % VALUES;
    }
    return text;
  }

  #meet(name: string): Known {
    if (this.#known.size >= NAMES) this.#known.clear();
    const known = { opening: `[${quoted(name)},`, values: [], texts: [], next: 0 };
    this.#known.set(name, known);
    return known;
  }
}
