import type { Exchange } from '../model/exchange.js';
import { PRODUCT_NAMES, WEB_SERVERS, type WebServer, webServerOf } from './products.js';

/**
 * What a web server makes of a fault, and with it what its client gets: often the only thing that the person in front of it has seen.
 * Each is a verb and what follows (`answers 502`), tried on the versions that Debian 12 has.
 */
export type Reactions = Readonly<Partial<Record<WebServer, string>>>;

/** A sentence: of the web server at hand, or of all where it does not say which one it is. */
export function reactionWords(exchange: Exchange, reactions: Reactions): string {
  const server = webServerOf(exchange);
  const own = server === null ? undefined : reactions[server];
  if (server !== null && own !== undefined) return `${PRODUCT_NAMES[server]} ${own}.`;
  const all = WEB_SERVERS.flatMap((name) =>
    reactions[name] === undefined ? [] : [`${PRODUCT_NAMES[name]} ${reactions[name]}`],
  );
  return all.length === 0 ? '' : `${all.join('; ')}.`;
}

/** END_REQUEST came and no header block before it. */
export const NO_HEADER: Reactions = {
  nginx: 'answers 502',
  lighttpd: 'answers 500',
  apache: 'answers an empty 200 (mod_proxy_fcgi) or 500 (mod_fcgid)',
  caddy: 'answers 502',
  haproxy: '2.6 waits for its server timeout and answers 504',
  h2o: 'answers 503',
};
