import type { Protocol } from './analyzer.js';
import { fastcgi } from './fastcgi/analyzer.js';

/** The protocols that can be looked at, by name. */
export const protocols = { fastcgi } as const satisfies Record<string, Protocol>;
