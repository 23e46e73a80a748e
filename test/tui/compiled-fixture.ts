import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import typescript from 'typescript';

const ROOT = join(import.meta.dirname, '..', '..');

/**
 * A fixture program and all that it imports, compiled from the sources as they are now: a program in a pseudo-terminal is a process of
 * its own, and this way it starts quickly and is never older than what is tested. Inside node_modules, so that it finds the packages.
 */
export class CompiledFixture {
  readonly program: string;
  private readonly folder: string;

  /** @param source the program's file, anywhere in the project */
  constructor(source: string) {
    const cache = join(ROOT, 'node_modules', '.cache');
    mkdirSync(cache, { recursive: true });
    this.folder = mkdtempSync(join(cache, 'tui-fixture-'));
    writeFileSync(join(this.folder, 'package.json'), '{"type":"module"}');
    this.program = this.compile(source, new Map());
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private compile(source: string, done: Map<string, string>): string {
    const known = done.get(source);
    if (known !== undefined) return known;
    const target = join(this.folder, relative(ROOT, source).replace(/\.tsx?$/, '.js'));
    done.set(source, target);
    const { outputText } = typescript.transpileModule(readFileSync(source, 'utf8'), {
      fileName: source,
      compilerOptions: {
        module: typescript.ModuleKind.ESNext,
        target: typescript.ScriptTarget.ES2022,
        jsx: typescript.JsxEmit.ReactJSX,
        verbatimModuleSyntax: true,
      },
    });
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
    for (const [, from] of outputText.matchAll(/(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)\.js['"]/g)) {
      const base = join(dirname(source), from!);
      this.compile(existsSync(`${base}.ts`) ? `${base}.ts` : `${base}.tsx`, done);
    }
    return target;
  }
}
