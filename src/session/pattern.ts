import {
  type Assertion,
  type CharacterSet,
  inRanges,
  isNewline,
  isWord,
  type PatternNode,
  parsePattern,
} from './pattern-syntax.js';

/**
 * Regular expressions in linear time. The built-in ones backtrack: `(a+)+$` on forty letters keeps them busy for hours, and the thread
 * that filters is the thread that relays, so a filter must never be able to stop it. Here the expression becomes a nondeterministic
 * automaton whose state sets are walked, and remembered as the states of a deterministic one, as they are met: each character costs one
 * look-up as a rule, and one pass over the automaton at worst, whatever the expression.
 *
 * A state is what may come next before the assertions (^ $ \b) are resolved, plus the kind of the character before; the assertions are
 * decided when the next character is known, so nothing ever looks back.
 */

export interface Pattern {
  /** Whether it matches anywhere in the subject. */
  test(subject: string): boolean;
}

/** Throws a SyntaxError, also for an expression that is too large. */
export function compilePattern(source: string): Pattern {
  const { root, flags } = parsePattern(source);
  return new Automaton(root, flags.ignoreCase, flags.multiline);
}

/** Bounds the pass over the automaton; `\w{1,300}` fits. */
const MAX_NODES = 1_000;
/** Bounds the compiler's work on repetitions of what is empty, which make no nodes. */
const MAX_COMPILE_STEPS = 20_000;
/** Remembered transitions; when there are more, all are forgotten and found anew. A few megabytes. */
const MAX_TRANSITIONS = 50_000;
const MAX_STATES = 1_000;
/** Transitions of the units below are found in an array, those of the others in a map. */
const DIRECT_UNITS = 128;

type Node =
  | { readonly kind: 'unit'; readonly set: CharacterSet; readonly next: number }
  | { readonly kind: 'assertion'; readonly assertion: Assertion; readonly next: number }
  | { readonly kind: 'split'; next: readonly number[] }
  | { readonly kind: 'match' };

type Before = 'nothing' | 'newline' | 'word' | 'other';

interface State {
  /** Ascending. */
  readonly nodes: readonly number[];
  readonly before: Before;
  /** Null: a match. */
  readonly direct: (State | null | undefined)[];
  readonly others: Map<number, State | null>;
}

/** The unit after the last one. */
const END = -1;

class Automaton implements Pattern {
  private readonly nodes: Node[] = [{ kind: 'match' }];
  private readonly first: number;
  private steps = 0;

  private states = new Map<string, State>();
  private transitions = 0;
  /** `marks[node] === mark`: the node was met in this pass. */
  private readonly marks: Int32Array;
  private mark = 0;

  constructor(
    root: PatternNode,
    private readonly ignoreCase: boolean,
    private readonly multiline: boolean,
  ) {
    this.first = this.compile(root, 0);
    this.marks = new Int32Array(this.nodes.length);
  }

  test(subject: string): boolean {
    let state = this.stateOf([], 'nothing');
    for (let at = 0; at <= subject.length; at++) {
      const unit = at < subject.length ? subject.charCodeAt(at) : END;
      const known = unit >= 0 && unit < DIRECT_UNITS ? state.direct[unit] : state.others.get(unit);
      const next: State | null = known === undefined ? this.step(state, unit) : known;
      if (next === null) return true;
      state = next;
    }
    return false;
  }

  /** Makes the nodes that match `node` and go on at `next`; the node to begin at. */
  private compile(node: PatternNode, next: number): number {
    if (++this.steps > MAX_COMPILE_STEPS) throw new SyntaxError('it repeats too much');
    switch (node.kind) {
      case 'set':
        return this.add({ kind: 'unit', set: node.set, next });
      case 'assertion':
        return this.add({ kind: 'assertion', assertion: node.assertion, next });
      case 'sequence':
        return node.parts.reduceRight((following, part) => this.compile(part, following), next);
      case 'choice':
        return this.add({ kind: 'split', next: node.parts.map((part) => this.compile(part, next)) });
      case 'repeat':
        return this.compileRepeat(node, next);
    }
  }

  private compileRepeat({ part, min, max }: PatternNode & { kind: 'repeat' }, next: number): number {
    let begin = next;
    if (max === Number.POSITIVE_INFINITY) {
      const loop: Node = { kind: 'split', next: [] };
      begin = this.add(loop);
      loop.next = [this.compile(part, begin), next];
    } else {
      for (let optional = min; optional < max; optional++) {
        begin = this.add({ kind: 'split', next: [this.compile(part, begin), next] });
      }
    }
    for (let needed = 0; needed < min; needed++) begin = this.compile(part, begin);
    return begin;
  }

  private add(node: Node): number {
    if (this.nodes.length >= MAX_NODES) throw new SyntaxError('it is too large');
    return this.nodes.push(node) - 1;
  }

  /** Where `unit` leads from `state`: null when the expression has matched before it. */
  private step(state: State, unit: number): State | null {
    this.mark++;
    const after: number[] = [];
    // The search may begin at every place, so the first node is always among those to look at.
    const open = [...state.nodes, this.first];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (this.marks[node] === this.mark) continue;
      this.marks[node] = this.mark;
      const found = this.nodes[node]!;
      if (found.kind === 'match') return this.remember(state, unit, null);
      if (found.kind === 'split') open.push(...found.next);
      else if (found.kind === 'assertion') {
        if (this.holds(found.assertion, state.before, unit)) open.push(found.next);
      } else if (unit !== END && this.has(found.set, unit)) after.push(found.next);
    }
    const nodes = [...new Set(after)].sort((a, b) => a - b);
    return this.remember(state, unit, this.stateOf(nodes, kindOf(unit)));
  }

  private remember(state: State, unit: number, next: State | null): State | null {
    if (++this.transitions > MAX_TRANSITIONS || this.states.size > MAX_STATES) {
      this.states = new Map();
      this.transitions = 0;
      // The state that is walked on from must not keep what was forgotten.
      return next === null ? null : this.stateOf(next.nodes, next.before);
    }
    if (unit >= 0 && unit < DIRECT_UNITS) state.direct[unit] = next;
    else state.others.set(unit, next);
    return next;
  }

  private stateOf(nodes: readonly number[], before: Before): State {
    const key = `${before} ${nodes.join()}`;
    const known = this.states.get(key);
    if (known !== undefined) return known;
    const state: State = { nodes, before, direct: new Array(DIRECT_UNITS).fill(undefined), others: new Map() };
    this.states.set(key, state);
    return state;
  }

  private has({ ranges, negated }: CharacterSet, unit: number): boolean {
    const plain = inRanges(ranges, unit);
    if (plain || !this.ignoreCase) return plain !== negated;
    return cases(unit).some((other) => inRanges(ranges, other)) !== negated;
  }

  private holds(assertion: Assertion, before: Before, unit: number): boolean {
    switch (assertion) {
      case 'start':
        return before === 'nothing' || (this.multiline && before === 'newline');
      case 'end':
        return unit === END || (this.multiline && isNewline(unit));
      case 'boundary':
      case 'no-boundary':
        return ((before === 'word') !== isWord(unit)) === (assertion === 'boundary');
    }
  }
}

function kindOf(unit: number): Before {
  return isWord(unit) ? 'word' : isNewline(unit) ? 'newline' : 'other';
}

/** The unit's other cases; those that take more than one unit (ß) have none. */
function cases(unit: number): number[] {
  const text = String.fromCharCode(unit);
  return [text.toLowerCase(), text.toUpperCase()]
    .filter((other) => other.length === 1)
    .map((other) => other.charCodeAt(0));
}
