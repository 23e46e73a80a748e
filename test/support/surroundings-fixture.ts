import { diagnose } from '../../src/diagnosis/diagnose.js';
import type { ConnectionEnd } from '../../src/model/exchange.js';
import type { Finding } from '../../src/model/finding.js';
import type { BackendPast, IdleEnd, Surroundings } from '../../src/model/surroundings.js';
import { BEGIN, type ExchangeOptions, storedExchange } from './exchange-fixture.js';

/** One request and what went on around it. */
export interface Situation extends ExchangeOptions {
  readonly around?: Surroundings | null;
}

/** Surroundings of the first request ever seen, alone, but for what is given. */
export function surroundings(
  given: Omit<Partial<Surroundings>, 'backend'> & { readonly backend?: Partial<BackendPast> } = {},
): Surroundings {
  return {
    opening: 0,
    idleBefore: null,
    openBefore: 0,
    openBeside: 0,
    servedMeanwhile: 0,
    overtakenBy: 0,
    freedBefore: null,
    freedBeside: null,
    idleConnections: 0,
    releasedBefore: null,
    usualWait: null,
    abreast: 1,
    takenUp: null,
    givenUpAlike: 0,
    lostTogether: 0,
    lostAges: null,
    cutAlike: 0,
    idleEnd: null,
    ...given,
    backend: {
      answered: 0,
      peerAnswered: false,
      sinceAnswer: null,
      sinceCut: null,
      failingFor: null,
      unanswered: 0,
      cutAtOnce: 0,
      leftUnread: false,
      closedAtCount: 0,
      closedAtAge: 0,
      ...given.backend,
    },
  };
}

export function idleEnd(given: Partial<IdleEnd> = {}): IdleEnd {
  return { idle: 0, requests: 1, alikeCount: 0, alikeAge: 0, neverReused: false, ...given };
}

/** Who ended the connection, how, and how many milliseconds after the request began. */
export function connectionEnd(
  endedBy: ConnectionEnd['endedBy'],
  how: ConnectionEnd['how'],
  after: number,
  lastRecord: string | null = 'STDIN record 1',
): ConnectionEnd {
  return {
    endedBy,
    how,
    at: BEGIN + after * 1_000,
    afterRecords: lastRecord === null ? 0 : 4,
    afterRecord: lastRecord,
  };
}

export function diagnosed({ around, ...options }: Situation): readonly Finding[] {
  return diagnose(storedExchange(options).exchange, around ?? null);
}
