import { rmSync } from 'node:fs';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { ProxyRoute } from '../capture/proxy.js';
import type { Endpoint } from '../model/connection.js';
import { FcgiInspectError } from '../model/errors.js';
import type { Inspection } from '../model/inspection.js';
import { RemoteInspection } from '../session/remote.js';
import type { WorkerAnswer, WorkerTask } from './worker.js';

/** A proxy at work in its own thread, seen from the main one. */
export interface Recording {
  readonly inspection: Inspection;
  /** Where it listens, in the order of the routes; the real port where 0 was asked for. */
  readonly endpoints: readonly Endpoint[];
  /** Resolves if the thread ends by itself, with why: traffic has stopped then. */
  readonly died: Promise<Error>;
  /** Ends the thread. What was recorded is gone. */
  end(): Promise<void>;
}

/**
 * Starts the proxy in a worker thread.
 *
 * @throws FcgiInspectError when it cannot listen or record
 */
export async function startRecording(
  routes: readonly ProxyRoute[],
  limits: { readonly maxRequests: number | null; readonly maxSpool: number | null },
): Promise<Recording> {
  const { port1, port2 } = new MessageChannel();
  const { maxRequests, maxSpool } = limits;
  const task: WorkerTask = { routes, maxRequests, maxSpool, port: port2 };
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: task,
    transferList: [port2],
  });
  const died = new Promise<Error>((resolve) => {
    worker.once('error', resolve);
    worker.once('exit', (code) => resolve(new Error(`the relay's thread ended with ${code}`)));
  });
  const answer = await Promise.race([
    new Promise<WorkerAnswer>((resolve) => worker.once('message', resolve)),
    died.then((error): WorkerAnswer => ({ kind: 'failed', code: 'io', message: error.message, advice: null })),
  ]);
  if (answer.kind === 'failed') {
    await worker.terminate();
    throw new FcgiInspectError(answer.code, answer.message, answer.advice);
  }
  const { spool } = answer;
  // For the ends in which the thread does not come to tidy up: a crash of ours, process.exit.
  if (spool !== null) process.once('exit', () => rmSync(spool, { recursive: true, force: true }));
  return {
    inspection: new RemoteInspection(port1),
    endpoints: answer.endpoints,
    died,
    async end() {
      await worker.terminate();
    },
  };
}
