import type { Exchange } from './exchange.js';

/**
 * What a protocol's tracker says of requests. The exchange is the builder's live object: it goes on changing until `settled`, and
 * afterwards only by an `amended` (a record that came too late and still belongs to it).
 */
export type ExchangeEvent =
  | { readonly kind: 'opened'; readonly exchange: Exchange }
  | { readonly kind: 'settled'; readonly exchange: Exchange }
  | { readonly kind: 'amended'; readonly exchange: Exchange };

export type ExchangeSink = (event: ExchangeEvent) => void;
