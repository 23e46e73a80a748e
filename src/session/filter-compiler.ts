import type { Exchange } from '../model/exchange.js';
import { parseBytes, parseDuration } from '../model/quantity.js';
import type { FilterNeeds, FilterSubject } from './filter.js';
import { FilterError } from './filter-error.js';
import {
  FIELDS,
  type Figure,
  type FigureField,
  type FilterField,
  fieldOf,
  type NamedField,
  nearestField,
  type StreamField,
  type TextField,
  type Texts,
} from './filter-fields.js';
import { decodeUtf8, type Expression, type FieldReference, type Literal } from './filter-syntax.js';
import { compilePattern } from './pattern.js';
import { streamContains, streamHead } from './stream-search.js';

/** `matches` looks at the beginning of a stream only: a regular expression needs its subject in one piece. */
export const MATCHED_BYTES = 256 * 1024;

/** @throws FilterError when the expression has a sound form and makes no sense: an unknown field, a number that is none */
export function compileExpression(text: string, expression: Expression): Compiled {
  return new Compiler(text).compile(expression);
}

type Test = (subject: FilterSubject) => boolean | Promise<boolean>;

interface Compiled {
  readonly needs: FilterNeeds;
  readonly test: Test;
}

const COST: Readonly<Record<FilterNeeds, number>> = { row: 0, exchange: 1, bodies: 2 };

class Compiler {
  constructor(private readonly text: string) {}

  compile(expression: Expression): Compiled {
    switch (expression.kind) {
      case 'and':
      case 'or': {
        const parts = expression.parts.map((part) => this.compile(part));
        parts.sort((a, b) => COST[a.needs] - COST[b.needs]);
        const tests = parts.map((part) => part.test);
        return { needs: parts.at(-1)!.needs, test: untilOne(tests, expression.kind === 'or') };
      }
      case 'not':
        return negated(this.compile(expression.part));
      case 'present':
        return presence(this.field(expression.field), expression.field);
      case 'compare':
        return this.comparison(expression);
      case 'in': {
        const field = this.field(expression.field);
        if (field.type === 'stream') return equalStream(field, expression.values);
        if (isFigure(field)) {
          const ranges = expression.values.map((value) => this.range(field, value));
          return figureTest(field, (figure) => ranges.some(([from, to]) => figure >= from && figure <= to));
        }
        const known = new Set(expression.values.map((value) => this.choice(field, value)));
        return textTest(field, expression.field, (text) => known.has(text));
      }
    }
  }

  private comparison(expression: Expression & { kind: 'compare' }): Compiled {
    const { operator, value } = expression;
    if (operator === '!=') return negated(this.comparison({ ...expression, operator: '==' }));
    const field = this.field(expression.field);
    if (field.type === 'stream') {
      if (operator === 'contains') return streamTest(field, (body) => streamContains(body, value.bytes));
      if (operator === '==') return equalStream(field, [value]);
      if (operator === 'matches') {
        const pattern = this.pattern(value);
        return streamTest(field, async (body) => pattern.test(readText(await streamHead(body, MATCHED_BYTES))));
      }
      return this.fail(
        expression.span,
        `${field.name} is bytes: they have no order; size.in, size.out and size.err have`,
      );
    }
    if (isFigure(field)) {
      if (operator === 'contains' || operator === 'matches') {
        return this.fail(expression.span, `${field.name} is a ${field.type}: it compares with == != < <= > >= and in`);
      }
      const [from, to] = this.range(field, value);
      if (operator === '==') return figureTest(field, (figure) => figure >= from && figure <= to);
      if (from !== to) this.fail(value.span, 'a range has no order: it goes with == != and in');
      return figureTest(field, ORDERS[operator](from));
    }
    switch (operator) {
      case '==': {
        const wanted = this.choice(field, value);
        return textTest(field, expression.field, (text) => text === wanted);
      }
      case 'contains':
        return textTest(field, expression.field, (text) => text.includes(value.text));
      case 'matches': {
        const pattern = this.pattern(value);
        return textTest(field, expression.field, (text) => pattern.test(text));
      }
    }
    const ordered = ORDERS[operator];
    if (field.type === 'rank') {
      const wanted = ordered(field.choices!.indexOf(this.choice(field, value)));
      return textTest(field, expression.field, (text) => wanted(field.choices!.indexOf(text)));
    }
    if (field.type === 'named') {
      const wanted = ordered(this.figure('size', value, expression.field.word));
      return textTest(field, expression.field, (text) => /^\s*-?\d+(\.\d+)?\s*$/.test(text) && wanted(Number(text)));
    }
    return this.fail(expression.span, `${field.name} is text: it compares with == != contains matches and in`);
  }

  private field(reference: FieldReference): FilterField {
    const field = fieldOf(reference.word);
    if (field !== null) return field;
    const nearest = nearestField(reference.word);
    const hint = nearest === null ? '' : `; is "${nearest}" meant?`;
    const advice = `the fields are ${FIELDS.map(({ name }) => name).join(', ')}`;
    throw new FilterError(this.text, reference.span, `there is no field "${reference.word}"${hint}`, advice);
  }

  /** `5` is the range from 5 to 5. */
  private range(field: FigureField, value: Literal): readonly [number, number] {
    const ends = value.quoted ? null : /^(.+?)\.\.(.+)$/.exec(value.text);
    if (ends === null) {
      const figure = this.figure(field.type, value, field.name);
      return [figure, figure];
    }
    const from = this.figure(field.type, { ...value, text: ends[1]! }, field.name);
    const to = this.figure(field.type, { ...value, text: ends[2]! }, field.name);
    if (from > to) this.fail(value.span, 'the range is empty: its end lies before its beginning');
    return [from, to];
  }

  private figure(type: FigureField['type'], value: Literal, name: string): number {
    const { text, span } = value;
    if (type === 'duration') {
      return (
        parseDuration(text, 'ms') ?? this.fail(span, `${name} takes a time, like 200ms or 1.5s (without a unit: ms)`)
      );
    }
    if (type === 'size') {
      return parseBytes(text) ?? this.fail(span, `${name} takes a number or a size, like 512, 64kB or 1MiB`);
    }
    return /^-?\d{1,15}$/.test(text) ? Number(text) : this.fail(span, `${name} takes a whole number`);
  }

  /** The value itself; where all values are known, in their spelling, and only one of them. */
  private choice(field: TextField | NamedField, value: Literal): string {
    if (field.type === 'named' || field.choices === undefined) return value.text;
    const text = value.text.toLowerCase();
    if (field.choices.includes(text) || (field.open && /^unknown-\d+$/.test(text))) return text;
    return this.fail(value.span, `${field.name} is never that; it is one of ${field.choices.join(', ')}`);
  }

  private pattern(value: Literal) {
    try {
      return compilePattern(value.text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return this.fail(value.span, `the regular expression is wrong: ${error.message}`);
    }
  }

  private fail(span: Literal['span'], complaint: string): never {
    throw new FilterError(this.text, span, complaint);
  }
}

function isFigure(field: FilterField): field is FigureField {
  return field.type === 'number' || field.type === 'duration' || field.type === 'size';
}

const ORDERS = {
  '<': (limit: number) => (figure: number) => figure < limit,
  '<=': (limit: number) => (figure: number) => figure <= limit,
  '>': (limit: number) => (figure: number) => figure > limit,
  '>=': (limit: number) => (figure: number) => figure >= limit,
} as const;

/** A number is empty when it is 0, save a duration: a request may take no time. */
function presence(field: FilterField, reference: FieldReference): Compiled {
  if (field.type === 'stream') {
    const { empty } = field;
    if (empty !== undefined) return { needs: 'row', test: ({ row }) => !empty(row) };
    return readTest((exchange) => exchange.streams[field.stream].bytes > 0);
  }
  if (isFigure(field)) return figureTest(field, (figure) => figure !== 0 || field.type === 'duration');
  return textTest(field, reference, (text) => text !== '');
}

function figureTest(field: FigureField, fits: (figure: number) => boolean): Compiled {
  const of = (figure: Figure) => figure !== null && fits(figure);
  if ('row' in field) return { needs: 'row', test: ({ row }) => of(field.row(row)) };
  return readTest((exchange) => of(field.exchange(exchange)));
}

function textTest(field: TextField | NamedField, reference: FieldReference, fits: (text: string) => boolean): Compiled {
  const of = (texts: Texts) => texts.some(fits);
  if (field.type === 'named') return readTest((exchange) => of(field.exchange(exchange, reference.name ?? '')));
  if ('row' in field) return { needs: 'row', test: ({ row }) => of(field.row(row)) };
  return readTest((exchange) => of(field.exchange(exchange)));
}

function readTest(fits: (exchange: Exchange) => boolean): Compiled {
  const of = (exchange: Exchange | null) => exchange !== null && fits(exchange);
  return {
    needs: 'exchange',
    test: (subject) => {
      const exchange = subject.exchange();
      return exchange instanceof Promise ? exchange.then(of) : of(exchange);
    },
  };
}

/** An empty stream is not read: `stderr contains "x"` costs nothing for the many requests that have none. */
function streamTest(field: StreamField, fits: (body: AsyncIterable<Uint8Array>) => Promise<boolean>): Compiled {
  return {
    needs: 'bodies',
    test: (subject) => fits(field.empty?.(subject.row) ? NOTHING : subject.body(field.stream)),
  };
}

const NOTHING: AsyncIterable<Uint8Array> = {
  async *[Symbol.asyncIterator]() {},
};

function equalStream(field: StreamField, values: readonly Literal[]): Compiled {
  const longest = Math.max(...values.map((value) => value.bytes.length));
  return streamTest(field, async (body) => {
    const head = Buffer.from(await streamHead(body, longest + 1));
    return values.some((value) => head.equals(value.bytes));
  });
}

/** The body's text for a regular expression: UTF-8, save a last character cut in two, else Latin-1. */
function readText(bytes: Uint8Array): string {
  for (let cut = 0; cut < 4; cut++) {
    const text = decodeUtf8(bytes.subarray(0, bytes.length - cut));
    if (text !== null) return text;
    if (bytes.length < MATCHED_BYTES) break;
  }
  return Buffer.from(bytes).toString('latin1');
}

function negated({ needs, test }: Compiled): Compiled {
  return {
    needs,
    test: (subject) => {
      const result = test(subject);
      return typeof result === 'boolean' ? !result : result.then((value) => !value);
    },
  };
}

/** Tests one after the other until one says `wanted` (`or`: true, `and`: false); waits only for those that need it. */
function untilOne(tests: readonly Test[], wanted: boolean): Test {
  const from = (subject: FilterSubject, start: number): boolean | Promise<boolean> => {
    for (let at = start; at < tests.length; at++) {
      const result = tests[at]!(subject);
      if (result === wanted) return wanted;
      if (typeof result !== 'boolean') {
        return result.then((value) => (value === wanted ? wanted : from(subject, at + 1)));
      }
    }
    return !wanted;
  };
  return (subject) => from(subject, 0);
}
