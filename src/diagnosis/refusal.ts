import type { Exchange } from '../model/exchange.js';
import { NO_HEADER, reactionWords } from './reactions.js';
import type { Sighting } from './rule.js';

/** A request that the backend refused by the protocol status of END_REQUEST (specification section 5.5), which web servers do not look at. */
export function refusal(exchange: Exchange, status: string): Sighting {
  const { response, appStatus, records } = exchange;
  const said = `END_REQUEST says ${status} (app status ${appStatus})`;
  const evidence = [{ kind: 'record', record: records.total - 1 }] as const;
  if (response?.complete) {
    return {
      detail: `${said}, though a response came before it. Web servers pass that on and ignore the status.`,
      severity: 'warning',
      beside: true,
      evidence,
    };
  }
  return { detail: `${said}. ${reactionWords(exchange, NO_HEADER)} None of them shows the reason.`, evidence };
}
