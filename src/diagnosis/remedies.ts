import type { Exchange } from '../model/exchange.js';
import { backendsOf, PRODUCT_NAMES, type Product, WEB_SERVERS, webServerOf } from './products.js';
import type { Remedies } from './rule.js';

/** The products that are known to be at the two ends of a request. */
export function productsOf(exchange: Exchange): readonly Product[] {
  const webServer = webServerOf(exchange);
  return webServer === null ? backendsOf(exchange) : [webServer, ...backendsOf(exchange)];
}

/**
 * What is to be done in any case, then by the web servers and the backends at hand; where those of one end are not known, by each, with
 * its name.
 * @param products those that are known
 */
export function remediesFor(remedies: Remedies, products: readonly Product[]): string[] {
  const knowsWebServer = products.some(isWebServer);
  const knowsBackend = products.some((product) => !isWebServer(product));
  const texts = [...(remedies.any ?? [])];
  for (const product of Object.keys(PRODUCT_NAMES) as Product[]) {
    const known = isWebServer(product) ? knowsWebServer : knowsBackend;
    if (known && !products.includes(product)) continue;
    for (const text of remedies[product] ?? []) texts.push(`${PRODUCT_NAMES[product]}: ${text}`);
  }
  return texts;
}

function isWebServer(product: Product): boolean {
  return (WEB_SERVERS as readonly string[]).includes(product);
}
