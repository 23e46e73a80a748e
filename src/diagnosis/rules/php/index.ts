import type { Rule } from '../../rule.js';
import { phpFatal } from './php-fatal.js';
import { primaryScriptUnknown } from './primary-script-unknown.js';
import { stderrNoise } from './stderr-noise.js';

/** What PHP and the gateways to CGI programs say of a request. In the order in which they are asked. */
export const PHP: readonly Rule[] = [primaryScriptUnknown, phpFatal, stderrNoise];
