import type { Exchange } from './exchange.js';
import type { Inspection } from './inspection.js';

/**
 * What could not be passed on or decoded of the connection on which a request was, as far as it concerns this request: nothing for those
 * that were over before. Visible text it is not yet.
 */
export async function connectionNotes(inspection: Inspection, exchange: Exchange): Promise<readonly string[]> {
  // A reset that stopped here and a decoder that failed are what there are notes of: most requests need not ask.
  if (exchange.connectionEnd?.how !== 'reset' && exchange.outcome !== 'undecodable') return [];
  return (await inspection.connection(exchange.connection))?.notes ?? [];
}
