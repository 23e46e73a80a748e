export interface Pattern {
  test(subject: string): boolean;
}
/** Throws a SyntaxError. */
export function compilePattern(source: string): Pattern {
  const found = /^\(\?([ims]+)\)/.exec(source);
  return new RegExp(found === null ? source : source.slice(found[0].length), found?.[1] ?? '');
}
