import { decodeUtf8, type Expression, type FieldReference, type Literal } from './filter-syntax.js';

/** The expression as text in one fixed spelling; reading it back gives the same expression. */
export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return expression.parts.map(printPart).join(` ${expression.kind} `);
    case 'not':
      return `not ${printPart(expression.part)}`;
    case 'present':
      return printField(expression.field);
    case 'compare': {
      const value = expression.operator === 'matches' ? quotePattern(expression.value.text) : quote(expression.value);
      return `${printField(expression.field)} ${expression.operator} ${value}`;
    }
    case 'in':
      return `${printField(expression.field)} in {${expression.values.map(quote).join(' ')}}`;
  }
}

function printPart(part: Expression): string {
  return part.kind === 'and' || part.kind === 'or' ? `(${printExpression(part)})` : printExpression(part);
}

function printField(field: FieldReference): string {
  if (field.name === null) return field.word;
  return `${field.word}.${/^[\w-]+$/.test(field.name) ? field.name : quoteText(field.name)}`;
}

/** What was written without quotes stays so: in a string, `200..299` would be text and no range. */
function quote(literal: Literal): string {
  if (!literal.quoted) return literal.text;
  const text = decodeUtf8(literal.bytes);
  if (text !== null) return quoteText(text);
  return `"${[...literal.bytes].map((byte) => (byte < 0x80 ? escaped(String.fromCharCode(byte)) : hex(byte))).join('')}"`;
}

function quoteText(text: string): string {
  return `"${text.replace(/["\\\u0000-\u001f\u007f-\u009f]/g, escaped)}"`;
}

function quotePattern(source: string): string {
  return `"${source.replaceAll('"', '\\"')}"`;
}

function escaped(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  const code = character.charCodeAt(0);
  if (code < 0x20 || code === 0x7f) return hex(code);
  return code > 0x7f && code < 0xa0 ? `\\u{${code.toString(16)}}` : character;
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}
