import { rmSync } from 'node:fs';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { Endpoint } from '../model/connection.js';
import { FcgiInspectError } from '../model/errors.js';
import type { Inspection } from '../model/inspection.js';
import { RemoteInspection } from '../session/remote.js';
import { openCapture } from './capture-session.js';
import type { CaptureWork, Work } from './work.js';
import type { WorkerAnswer, WorkerTask } from './worker.js';

/** A proxy or a capture at work, seen from the main thread. */
export interface Recording {
  readonly inspection: Inspection;
  /** Where it listens, in the order of the routes; the real port where 0 was asked for. */
  readonly endpoints: readonly Endpoint[];
  /** Resolves if the thread ends by itself, with why: traffic has stopped then. */
  readonly died: Promise<Error>;
  /** Takes in some more of a source that is read in this thread (PumpOptions.advance); null where another thread sees to it. */
  readonly advance: (() => Promise<boolean>) | null;
  /** Ends the thread. What was recorded is gone. */
  end(): Promise<void>;
}

/**
 * Starts the proxy, or the reading of captures, in a worker thread.
 *
 * @throws FcgiInspectError when it cannot listen, read or record
 */
export async function startRecording(work: Work): Promise<Recording> {
  const { port1, port2 } = new MessageChannel();
  const task: WorkerTask = { work, port: port2 };
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
    advance: null,
    async end() {
      await worker.terminate();
    },
  };
}

/**
 * Reads captures in this thread, for outputs that keep step with the reading: there is no terminal that could stop it, and no live
 * traffic that could suffer.
 *
 * @throws FcgiInspectError when they cannot be read
 */
export async function readInStep(work: CaptureWork): Promise<Recording> {
  const session = await openCapture(work);
  return {
    inspection: session,
    endpoints: [],
    died: new Promise(() => {}),
    advance: () => session.advance(true),
    async end() {},
  };
}
