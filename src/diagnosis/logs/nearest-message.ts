import type { LogMessage } from './log-message.js';
import { LOG_MESSAGES } from './messages/index.js';

/** Fewer words are in too many messages, and with fewer of them in common it is another message. */
const LEAST_WORDS = 4;
const IN_COMMON = 0.75;
/** Of a text, what is looked at. */
const TEXT_READ = 2_000;

/** The message that has most of its words in a text, when that is nearly all of them: as other versions may write it. */
export function nearestMessage(text: string): LogMessage | null {
  const words = new Set(wordsOf(text.slice(0, TEXT_READ)));
  let nearest: LogMessage | null = null;
  let best = IN_COMMON;
  for (const [message, own] of OWN_WORDS) {
    if (own.length < LEAST_WORDS) continue;
    const share = own.filter((word) => words.has(word)).length / own.length;
    if (share < best) continue;
    best = share;
    nearest = message;
  }
  return nearest;
}

function wordsOf(text: string): string[] {
  return [...new Set(text.toLowerCase().match(/[a-z]{3,30}/g) ?? [])];
}

const OWN_WORDS = LOG_MESSAGES.map(
  (message) => [message, wordsOf(message.text.replace(/<[a-z:]{1,20}>/g, ' '))] as const,
);
