import type { Severity } from '../../model/finding.js';
import { type MessagePattern, messagePattern } from './message-pattern.js';

/** Whose log, or whose message inside another's log. */
export type LogProduct =
  | 'nginx'
  | 'lighttpd'
  | 'mod_proxy_fcgi'
  | 'mod_fcgid'
  | 'mod_fastcgi'
  | 'mod_authnz_fcgi'
  | 'apache'
  | 'haproxy'
  | 'caddy'
  | 'h2o'
  | 'openlitespeed'
  | 'php-fpm'
  | 'php'
  | 'fcgiwrap'
  | 'libfcgi'
  | 'iis';

export const LOG_PRODUCT_NAMES: Readonly<Record<LogProduct, string>> = {
  nginx: 'nginx',
  lighttpd: 'lighttpd',
  mod_proxy_fcgi: 'Apache mod_proxy_fcgi',
  mod_fcgid: 'Apache mod_fcgid',
  mod_fastcgi: 'Apache mod_fastcgi',
  mod_authnz_fcgi: 'Apache mod_authnz_fcgi',
  apache: 'Apache',
  haproxy: 'HAProxy',
  caddy: 'Caddy',
  h2o: 'h2o',
  openlitespeed: 'OpenLiteSpeed',
  'php-fpm': 'PHP-FPM',
  php: 'PHP',
  fcgiwrap: 'fcgiwrap',
  libfcgi: 'libfcgi',
  iis: 'IIS',
};

/** A worker died: before it answered, in the middle of it, by reset or in order. */
export const WORKER_GONE = 'worker-gone';

/** A message as a product writes it, and what it stands for. */
export interface LogMessage {
  readonly product: LogProduct;
  /** The literal text with places (see message-pattern.ts), as people will look for it. */
  readonly text: string;
  /** The product's source file, or part, in which it is written. */
  readonly source: string;
  /** Where not all versions write it so. */
  readonly versions: string | null;
  /** The failing states that it stands for, likeliest first; none for what is no fault of a request. */
  readonly modes: readonly string[];
  /** A sentence or two for somebody who sees it for the first time. */
  readonly meaning: string;
  /** Findings of requests that this may have made wait, whatever else did: it is evidence for them, and no proof. */
  readonly bearsOn: readonly string[];
  /**
   * Findings about which nothing is left to be asked, when it is known that the message is about their request: what it says cannot have
   * come about in another way.
   */
  readonly proves: readonly string[];
  /** How grave a finding is that it proves, where the wire alone did not tell whether visitors noticed; null: as it was. */
  readonly severity: Severity | null;
  /**
   * The finding of this id takes the place of those of `from`: the message names a cause where the wire shows only what came of it, or
   * where another one fitted, too. WORKER_GONE stands for the finding of a worker's death that fits the request.
   */
  readonly turns: { readonly into: string; readonly from: readonly string[] } | null;
  /** What to do, that is not said of the failing state in general. */
  readonly advice: readonly string[];
  /** It is written when a request ends (default), or at any time while one waits. */
  readonly when: 'end' | 'during';
  /** The place that holds another's message (what came on STDERR). */
  readonly carries: string | null;
  readonly pattern: MessagePattern;
}

/** The literal text for people: what changes is left out. */
export function messageTitle({ text }: LogMessage): string {
  return text
    .replace(/<[a-z][a-z:]*>/g, '…')
    .replace(/\s+/g, ' ')
    .trim();
}

/** How a message is written down in the tables; what is left out is nothing. */
export interface MessageEntry {
  readonly text: string;
  readonly source?: string;
  readonly versions?: string;
  readonly modes: readonly string[];
  readonly meaning: string;
  readonly bearsOn?: readonly string[];
  readonly proves?: readonly string[];
  readonly severity?: Severity;
  readonly turns?: LogMessage['turns'];
  readonly advice?: readonly string[];
  readonly when?: 'during';
  readonly carries?: string;
  /** Too short to be looked for inside a line: only where the line is nothing else. */
  readonly whole?: true;
}

/**
 * Of several that fit a line, the first is taken: what is said more exactly stands before what is said in general.
 * @param source of those that name no other
 */
export function messages(product: LogProduct, source: string, entries: readonly MessageEntry[]): LogMessage[] {
  return entries.map(({ whole, ...entry }) => ({
    product,
    source,
    versions: null,
    bearsOn: [],
    proves: [],
    severity: null,
    turns: null,
    advice: [],
    when: 'end',
    carries: null,
    ...entry,
    pattern: messagePattern(entry.text, whole ?? false),
  }));
}
