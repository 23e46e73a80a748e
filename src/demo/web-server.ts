import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoint } from '../model/connection.js';
import { BackendConnection } from './backend-connection.js';
import { seededRandom, shuffled } from './random.js';
import { SCENARIOS, type Scenario, type Stage } from './scenarios.js';

/**
 * The demo's web-server side: an endless mix of scenarios through one address, several under way at once. Each round is all scenarios
 * by their weights, shuffled by the seed, so that a run of a few seconds has seen them all.
 */

export interface WebServer {
  /**
   * Starts nothing more; requests under way get `grace` milliseconds. Resolves when everything is closed.
   * @param grace 3 000 unless told: the longest scenario takes about two seconds
   */
  stop(grace?: number): Promise<void>;
}

export interface WebServerOptions {
  /** Fixes the order of the scenarios. 1 unless told. */
  readonly seed?: number;
  /** Milliseconds from one scenario's start to the next one's. A round takes about 38 times as long. */
  readonly pace?: number;
  /** Hears of a scenario that could not be played (the address does not answer). Each failure slows the mix down to a second. */
  readonly onFailure?: (scenario: Scenario, error: Error) => void;
}

export const DEFAULT_PACE_MS = 110;
const DEFAULT_GRACE_MS = 3_000;
const AFTER_FAILURE_MS = 1_000;
/** Slow scenarios overlap; a backend that hangs must not collect connections without end. */
const MAX_UNDER_WAY = 20;

export function startWebServer(address: Endpoint, options: WebServerOptions = {}): WebServer {
  const { seed = 1, pace = DEFAULT_PACE_MS, onFailure } = options;
  const stopping = new AbortController();
  const connections = new Set<BackendConnection>();
  const underWay = new Set<Promise<void>>();
  let pause = pace;
  /** The grace is over: what is still opened is closed at once. */
  let late = false;

  const stage: Stage = {
    connect: async () => {
      const connection = await BackendConnection.open(address);
      if (late) connection.peer.destroy();
      connections.add(connection);
      connection.peer.closed.then(() => connections.delete(connection));
      return connection;
    },
    wait: (milliseconds) => rest(milliseconds, stopping.signal),
  };

  const play = async (scenario: Scenario) => {
    try {
      await scenario.run(stage);
      pause = pace;
    } catch (error) {
      pause = Math.max(pace, AFTER_FAILURE_MS);
      onFailure?.(scenario, error as Error);
    }
  };

  const mix = async () => {
    for (const scenario of scenarioOrder(seed)) {
      if (underWay.size >= MAX_UNDER_WAY) await Promise.race(underWay);
      if (stopping.signal.aborted) break;
      const played = play(scenario).finally(() => underWay.delete(played));
      underWay.add(played);
      await rest(pause, stopping.signal);
    }
  };
  const mixed = mix();

  return {
    async stop(grace = DEFAULT_GRACE_MS) {
      stopping.abort();
      const done = new AbortController();
      // The mix itself may be waiting for one of those under way.
      const finished = mixed.then(() => Promise.all(underWay));
      await Promise.race([finished, rest(grace, done.signal)]);
      done.abort();
      late = true;
      for (const connection of connections) connection.peer.destroy();
      await finished;
      await Promise.all([...connections].map((connection) => connection.peer.closed));
    },
  };
}

/** Round after round, without end. */
export function* scenarioOrder(seed: number): Generator<Scenario, never> {
  const random = seededRandom(seed);
  const round = SCENARIOS.flatMap((scenario) => Array<Scenario>(scenario.weight).fill(scenario));
  for (;;) yield* shuffled(round, random);
}

/** Sleeps, or returns when the signal comes. */
async function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => {});
}
