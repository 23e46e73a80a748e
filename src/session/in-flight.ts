import type { Exchange, ExchangeRow } from '../model/exchange.js';
import { rowOf } from '../model/exchange-row.js';
import type { Finding } from '../model/finding.js';
import type { Surroundings } from '../model/surroundings.js';
import { MICROSECONDS_PER_MILLISECOND, type Timestamp } from '../model/time.js';
import { type Waiting, waitingAt } from '../model/waiting.js';
import { snapshot } from './exchange-snapshot.js';
import type { KeptExchange } from './kept-exchange.js';

/** Milliseconds of silence from which on an open request is looked at: hardly any healthy one gets that far. */
const LOOKED_AT = 1_000;
/** How long what was found stands, in milliseconds: a screen asks thirty times a second, and may ask for thousands. */
const STANDS_FOR = 500;

const NONE: readonly Finding[] = Object.freeze([]);

/** What was found on an open exchange, and when. */
export interface Glance {
  readonly at: Timestamp;
  readonly findings: readonly Finding[];
}

/** Open exchanges as of now: what they wait for, and what is wrong with them so far. */
export class InFlight {
  /** @param clock microseconds since the epoch; of a capture, the time to which it has been read */
  constructor(
    private readonly clock: () => Timestamp,
    private readonly diagnose: (exchange: Exchange, surroundings: Surroundings | null) => readonly Finding[],
  ) {}

  row(kept: KeptExchange, live: Exchange): ExchangeRow {
    const now = this.now(live);
    const waiting = waitingAt(live, now);
    return { ...rowOf(live, this.findings(kept, live, waiting, now)), waiting };
  }

  exchange(kept: KeptExchange, live: Exchange): Exchange {
    const now = this.now(live);
    const waiting = waitingAt(live, now);
    return { ...snapshot(live, this.findings(kept, live, waiting, now)), waiting };
  }

  private findings(kept: KeptExchange, live: Exchange, waiting: Waiting, now: Timestamp): readonly Finding[] {
    if (waiting.milliseconds < LOOKED_AT) return NONE;
    const { glance, beginning, connection } = kept;
    if (glance !== null && now >= glance.at && now - glance.at < STANDS_FOR * MICROSECONDS_PER_MILLISECOND) {
      return glance.findings;
    }
    // What it seems to wait for may have been in the bytes that are not in the capture.
    if (connection.live?.watch.missedSince(live.times.begin)) return NONE;
    const asOfNow = { ...live, times: { ...live.times, end: now } };
    const around = beginning === null ? null : (connection.live?.watch.around(asOfNow, beginning) ?? null);
    const findings = this.diagnose(asOfNow, around);
    kept.glance = { at: now, findings };
    return findings;
  }

  /** A clock that was set back must not make a request younger than its records. */
  private now({ times }: Exchange): Timestamp {
    return Math.max(this.clock(), times.lastRecord);
  }
}
