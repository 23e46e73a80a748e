import type { Exchange } from '../model/exchange.js';

/** Whether the response body begins with this ASCII text. Costs next to nothing where the first byte is another. */
export function bodyBegins({ bodyHead }: Pick<Exchange, 'bodyHead'>, text: string): boolean {
  if (bodyHead.length < text.length) return false;
  for (let i = 0; i < text.length; i++) if (bodyHead[i] !== text.charCodeAt(i)) return false;
  return true;
}

/**
 * Whether the body begins as pages, JSON, images and texts mostly do, and as nothing does that a rule looks for: messages of PHP, Python
 * and Perl, source code, and the status page of PHP-FPM. One or two bytes tell.
 */
export function beginsOrdinarily({ bodyHead }: Pick<Exchange, 'bodyHead'>): boolean {
  if (bodyHead.length === 0) return false;
  const second = bodyHead[1];
  switch (bodyHead[0]) {
    case LESS_THAN:
      // <!DOCTYPE html>, but not the longer one with PUBLIC behind it, and <html>, but not <h1>.
      if (second === EXCLAMATION) return bodyHead[DOCTYPE_ENDS] !== SPACE;
      return second === LOWER_H && bodyHead[2] === LOWER_T;
    case BRACE:
      // Not {"pool"
      return bodyHead[2] !== LOWER_P;
    case NUMBER_SIGN: // # HELP phpfpm_
    case LOWER_P: // pool:
    case 0x44: // Deprecated
    case 0x46: // Fatal error
    case 0x4e: // Notice, No input file specified.
    case 0x50: // Parse error, PHP …
    case 0x54: // Traceback
    case 0x57: // Warning
      return false;
    default:
      // White space stands before PHP's messages.
      return bodyHead[0]! > SPACE;
  }
}

const SPACE = 0x20;
const EXCLAMATION = 0x21;
const NUMBER_SIGN = 0x23;
const LESS_THAN = 0x3c;
const LOWER_H = 0x68;
const LOWER_P = 0x70;
const LOWER_T = 0x74;
const BRACE = 0x7b;
const DOCTYPE_ENDS = '<!DOCTYPE html'.length;

/** The kept beginning of the body as text, for messages: bytes that are not UTF-8 become replacement characters. */
export function bodyHeadText({ bodyHead }: Pick<Exchange, 'bodyHead'>): string {
  return decoder.decode(bodyHead);
}

const decoder = new TextDecoder();
