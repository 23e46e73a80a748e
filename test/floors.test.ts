import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * The floors of docs/architecture.md, as a test. Imports go strictly downward; siblings never import one another; what two siblings
 * both need is a noun and belongs in model/.
 */
const FLOORS: Readonly<Record<string, number>> = {
  cli: 4,
  tui: 3,
  print: 3,
  export: 3,
  capture: 2,
  session: 2,
  content: 2,
  demo: 2,
  protocol: 1,
  packet: 1,
  diagnosis: 1,
  model: 0,
};
const TABLE = `
4  cli/                                   composition root: flags, wiring, exit codes
3  tui/      print/      export/          readers of snapshots through the Inspection interface
2  capture/  session/  content/  demo/    the only floors with I/O
1  protocol/ packet/ diagnosis/           pure: no node: imports, no clock, no randomness, no console
0  model/                                 types, unions, error class`;

const SRC = join(import.meta.dirname, '..', 'src');

function files(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return files(path);
    return /\.tsx?$/.test(name) ? [path] : [];
  });
}

interface Import {
  readonly file: string;
  readonly from: string;
}

const imports: Import[] = files(SRC).flatMap((path) => {
  const text = readFileSync(path, 'utf8');
  return [
    ...text.matchAll(
      /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?from\s+['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s+['"]([^'"]+)['"]/g,
    ),
  ].map((match) => ({ file: relative(SRC, path), from: (match[1] ?? match[2] ?? match[3])! }));
});

describe('floors', () => {
  it('finds the imports at all', () => {
    expect(imports.length).toBeGreaterThan(20);
  });

  it('imports go strictly downward, siblings never import one another', () => {
    const wrong = imports.filter(({ file, from }) => {
      if (!from.startsWith('.')) return false;
      const target = normalize(join(dirname(file), from));
      const here = file.split('/')[0]!;
      const there = target.split('/')[0]!;
      if (here === there) return false;
      const a = FLOORS[here];
      const b = FLOORS[there];
      return a === undefined || b === undefined || b >= a;
    });
    expect(wrong, `these imports break the floors:${TABLE}`).toEqual([]);
  });

  it('keeps node: below floor 2 and React outside tui/ out', () => {
    const wrong = imports.filter(({ file, from }) => {
      const floor = FLOORS[file.split('/')[0]!] ?? 0;
      if (from.startsWith('node:') && floor < 2) return true;
      return /^(react|ink|zustand)(\/|$)/.test(from) && !file.startsWith('tui/');
    });
    expect(wrong, `these imports break the floors:${TABLE}`).toEqual([]);
  });

  it('keeps clocks, randomness and the console out of the pure floors', () => {
    const wrong = files(SRC)
      .filter((path) => (FLOORS[relative(SRC, path).split('/')[0]!] ?? 9) < 2)
      .filter((path) =>
        /\b(Date\.now|new Date\(\)|performance\.|Math\.random|console\.|setTimeout|setInterval|Buffer\.)/.test(
          readFileSync(path, 'utf8'),
        ),
      );
    expect(wrong).toEqual([]);
  });
});
