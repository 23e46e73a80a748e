import type { Side } from '../model/connection.js';
import type { Exchange } from '../model/exchange.js';
import type { Alternative, Certainty, Evidence, Severity } from '../model/finding.js';
import type { Surroundings } from '../model/surroundings.js';
import type { Product } from './products.js';

/** What a rule saw: said of this very request, with its figures. */
export interface Sighting {
  readonly detail: string;
  readonly evidence?: readonly Evidence[];
  /** Where it is not the rule's own. */
  readonly certainty?: Certainty;
  readonly severity?: Severity;
  /** Before the rule's remedies: what fits just this case. */
  readonly advice?: readonly string[];
  /** In place of the rule's own, where what was seen rules some of them out or ranks them otherwise. */
  readonly alternatives?: readonly Alternative[];
  /** Said by a cause: this time it is a remark, and the search for the cause goes on. */
  readonly beside?: boolean;
}

/** What to change. `any` stands first and is always given; the rest is given for the products at hand, or for all when they are not known. */
export type Remedies = Readonly<Partial<Record<Product | 'any', readonly string[]>>>;

/**
 * A way for a request to go wrong, and how the wire shows it. Pure: the same exchange in the same surroundings gives the same answer. It is
 * asked of every settled request, so it rules itself out with the cheapest test first.
 */
export interface Rule {
  /** The file's name: the noun of the failing state. */
  readonly id: string;
  readonly severity: Severity;
  readonly title: string;
  /** One or two sentences for somebody who has never read the FastCGI specification. */
  readonly meaning: string;
  /**
   * One cause has one finding. `cause`: what made the request go wrong; of these only the first that fires is reported. `consequence`: what
   * a reader sees of some cause; the first that fires, and only where no cause was found. `remark`: reported beside whatever else is.
   */
  readonly layer: 'cause' | 'consequence' | 'remark';
  readonly certainty: Certainty;
  readonly remedies: Remedies;
  readonly alternatives?: readonly Alternative[];
  /** Where to look next: a log and the line to look for, a directive, a command. */
  readonly look?: readonly string[];
  /** Asked of open requests as well, whose outcome is null and whose time of the end is the present. */
  readonly whileOpen?: boolean;
  /** It is asked only where one of these holds, so that a healthy request costs a rule nothing; of every request without it. */
  readonly needs?: readonly Need[];
  /**
   * Where it takes something for absent, or adds bytes up: the side of which it has to know all. It is not asked where bytes of that side
   * were missed (blind-spots.ts). What the outcome rests on alone needs none: the tracker has thought of what may be lost.
   */
  readonly absence?: Side | 'both';
  /** The real servers on which it was seen to fire, as `web server → backend`; empty while it never was. */
  readonly seen: readonly string[];
  /** @param surroundings null where nothing is known of them, or nothing is remarkable about the request */
  check(exchange: Exchange, surroundings: Surroundings | null): Sighting | null;
}

/**
 * What most requests do not have. `failure`: the outcome is not `completed`. `stderr`: bytes on STDERR. `problems`: of the decoder or the
 * tracker. `status`: no response, a status other than 2xx, or an app status other than 0. `role`: another than responder. `request`: it is
 * none that asks for a page and has no body (request-facts.ts). `marks`: something suspicious among the params (param-marks.ts).
 * `headers`: anything about the response's headers that is not ordinary (header-facts.ts). `body`: it begins with something else than a
 * page, or is not there (body-head.ts). `surroundings`: something worth a question went on around it.
 */
export type Need =
  | 'failure'
  | 'stderr'
  | 'problems'
  | 'status'
  | 'role'
  | 'request'
  | 'marks'
  | 'headers'
  | 'body'
  | 'surroundings';

export function defineRule(rule: Rule): Rule {
  return rule;
}
