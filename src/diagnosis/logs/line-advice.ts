import { fatalAdvice } from '../rules/php/php-fatal.js';
import { phpMessages } from '../rules/php/php-message.js';
import { warningAdvice } from '../rules/php/stderr-noise.js';
import { partLostAdvice } from '../rules/php/upload-too-large.js';
import type { LogMessage } from './log-message.js';

/** What the words of a line say to do, where its message stands for many: as of the causes themselves, whose advice goes by the text. */
export function lineAdvice(message: LogMessage, line: string): readonly string[] {
  if (message.product !== 'php') return [];
  if (message.modes.includes('php-fatal')) {
    const said = phpMessages(line).find(({ level }) => level === 'fatal' || level === 'parse');
    if (said !== undefined) return fatalAdvice(said);
    const begins = line.indexOf(firstWords(message));
    if (message.modes.includes('upload-too-large')) return partLostAdvice(line);
    return message.modes[0] !== 'php-fatal' || begins < 0
      ? []
      : fatalAdvice({ level: 'fatal', text: line.slice(begins) });
  }
  if (message.modes.includes('upload-too-large')) return partLostAdvice(line);
  return message.modes.includes('stderr-noise') ? warningAdvice(line) : [];
}

/** The text up to its first place. */
function firstWords({ text }: LogMessage): string {
  return text.split('<')[0]!;
}
