import type { Workspace } from './real/workspace.js';

/** A defect of ours that strikes when a test wants it to: code that every thread of the program runs before its own. */
export interface Defect {
  /** For the program to be started with. */
  readonly env: Readonly<Record<string, string>>;
  strike(): void;
}

/** Short against a test, long against a look. */
const INTERVAL_MS = 20;

export function plantDefect(workspace: Workspace, thread: 'main' | 'relay'): Defect {
  const trigger = workspace.path('defect.now');
  const hook = workspace.write(
    'defect.cjs',
    `const { existsSync } = require('node:fs');
     const { isMainThread } = require('node:worker_threads');
     if (isMainThread === ${thread === 'main'}) {
       const timer = setInterval(() => {
         if (!existsSync(${JSON.stringify(trigger)})) return;
         clearInterval(timer);
         throw new Error('a defect of ours');
       }, ${INTERVAL_MS});
     }`,
  );
  return { env: { NODE_OPTIONS: `--require ${hook}` }, strike: () => void workspace.write('defect.now', '') };
}
