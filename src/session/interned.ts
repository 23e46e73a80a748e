import type { Endpoint } from '../model/connection.js';
import type { ExchangeRow } from '../model/exchange.js';

/** Different strings remembered; when there are more, the memory starts anew. Scripts and methods are few, whatever is requested. */
const REMEMBERED = 4_096;
/** Longer strings are hardly ever repeated. */
const LONGEST = 256;

/**
 * One string in place of many equal ones: a hundred thousand rows name a handful of scripts. What is not shared is at least made one
 * piece, as a string that was put together keeps all its parts alive.
 */
export class Interned {
  private readonly strings = new Map<string, string>();
  private readonly endpoints = new Map<string, Endpoint>();
  private latest: Endpoint | null = null;

  /** The row itself, its strings exchanged. */
  row(row: ExchangeRow): ExchangeRow {
    const draft = row as { -readonly [K in keyof ExchangeRow]: ExchangeRow[K] };
    if (row.method !== null) draft.method = this.string(row.method);
    if (row.script !== null) draft.script = this.string(row.script);
    if (row.url !== null) draft.url = inOnePiece(row.url);
    return row;
  }

  /** For the endpoints that many connections have in common. */
  endpoint(endpoint: Endpoint): Endpoint {
    if (this.latest !== null && isSame(this.latest, endpoint)) return this.latest;
    this.latest = this.common(endpoint);
    return this.latest;
  }

  private common(endpoint: Endpoint): Endpoint {
    const key = endpoint.kind === 'tcp' ? `${endpoint.port} ${endpoint.host}` : endpoint.path;
    const known = this.endpoints.get(key);
    if (known !== undefined) return known;
    if (this.endpoints.size >= REMEMBERED) this.endpoints.clear();
    this.endpoints.set(key, endpoint);
    return endpoint;
  }

  private string(text: string): string {
    if (text.length > LONGEST) return inOnePiece(text);
    const known = this.strings.get(text);
    if (known !== undefined) return known;
    if (this.strings.size >= REMEMBERED) this.strings.clear();
    const whole = inOnePiece(text);
    this.strings.set(whole, whole);
    return whole;
  }
}

function isSame(one: Endpoint, other: Endpoint): boolean {
  if (one.kind === 'tcp') return other.kind === 'tcp' && one.port === other.port && one.host === other.host;
  return other.kind === 'unix' && one.path === other.path;
}

/** A string that was put together is a tree of its parts until somebody looks into it. */
function inOnePiece(text: string): string {
  look.first = text.charCodeAt(0);
  return text;
}

/** Where the answer of a look is put, so that it cannot be left out as being of no use. */
const look = { first: 0 };
