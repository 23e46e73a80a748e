import type { Exchange } from '../../../model/exchange.js';
import { paramValue } from '../../../model/param-value.js';
import { backendsOf } from '../../products.js';

/**
 * What PHP writes to STDERR when its error_log is not set: `PHP message: PHP Warning:  text in /file.php on line 3`, several of them in
 * one record with `; ` between; php-cgi leaves the first two words out.
 */
export interface PhpMessage {
  readonly level: PhpLevel;
  /** Its first line. */
  readonly text: string;
}

export type PhpLevel = 'fatal' | 'parse' | 'warning' | 'notice' | 'deprecated';

/** At most this many are read of one request: more say no more. */
const MESSAGES_READ = 100;
const MESSAGE =
  /PHP (Fatal error|Recoverable fatal error|Catchable fatal error|Core error|Compile error|Parse error|Warning|Core Warning|Compile Warning|Notice|Deprecated|Strict Standards):\s+([^\n]{1,600}?)(?=; PHP message: |\n|$)/g;

const LEVELS: Readonly<Record<string, PhpLevel>> = {
  'Parse error': 'parse',
  Warning: 'warning',
  'Core Warning': 'warning',
  'Compile Warning': 'warning',
  Notice: 'notice',
  Deprecated: 'deprecated',
  'Strict Standards': 'deprecated',
};

export function phpMessages(text: string): readonly PhpMessage[] {
  const messages: PhpMessage[] = [];
  for (const [, level, words] of text.matchAll(MESSAGE)) {
    messages.push({ level: LEVELS[level!] ?? 'fatal', text: words!.trim() });
    if (messages.length === MESSAGES_READ) break;
  }
  return messages;
}

/** As far as the wire tells: by X-Powered-By, or by the script's name. */
export function isPhp(exchange: Exchange): boolean {
  if (backendsOf(exchange).length > 0) return true;
  const script = paramValue(exchange.params, 'SCRIPT_FILENAME') ?? exchange.script;
  return script !== null && /\.php(?:\/|$)/i.test(script);
}
