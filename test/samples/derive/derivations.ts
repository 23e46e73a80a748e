import type { Derivation } from './derivation.js';
import { FORMATS } from './formats.js';
import { LINK_LAYERS } from './link-layers.js';
import { TCP } from './tcp.js';

export const DERIVATIONS: readonly Derivation[] = [...FORMATS, ...LINK_LAYERS, ...TCP];
