import { setImmediate as turn } from 'node:timers/promises';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { DebuggingProxy } from '../capture/proxy.js';
import { describeFinding, diagnose } from '../diagnosis/diagnose.js';
import type { Endpoint } from '../model/connection.js';
import { type ErrorCode, FcgiInspectError } from '../model/errors.js';
import { MICROSECONDS_PER_MILLISECOND, type Timestamp } from '../model/time.js';
import { protocols } from '../protocol/index.js';
import { recordingSession } from '../session/recording-session.js';
import { serve } from '../session/remote.js';
import type { Session } from '../session/session.js';
import { openCapture } from './capture-session.js';
import { followLogs, liveLogBook } from './logs.js';
import type { ProxyWork, Work } from './work.js';

/** What the main thread gives the worker to start with. */
export interface WorkerTask {
  readonly work: Work;
  /** The session is served here. */
  readonly port: MessagePort;
}

/** What the worker says once, when traffic can arrive or cannot. */
export type WorkerAnswer =
  | {
      readonly kind: 'ready';
      readonly endpoints: readonly Endpoint[];
      /** The spool's folder; the main thread removes it should this thread not come to it. */
      readonly spool: string | null;
    }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string; readonly advice: string | null };

const epoch = performance.timeOrigin;
const clock = (): Timestamp => (epoch + performance.now()) * MICROSECONDS_PER_MILLISECOND;

async function start({ work, port }: WorkerTask): Promise<WorkerAnswer> {
  return work.kind === 'proxy' ? relay(work, port) : read(await openCapture(work), port);
}

/** The relay's thread: nothing in it waits for the terminal, for a reader or for the disk. */
async function relay({ routes, logs, maxRequests, maxSpool }: ProxyWork, port: MessagePort): Promise<WorkerAnswer> {
  const proxy = new DebuggingProxy(routes, clock, (text) => session.warn(text));
  const session: Session = recordingSession({
    source: proxy,
    protocol: protocols.fastcgi,
    clock,
    diagnose,
    describe: describeFinding,
    ...(logs.length === 0 ? {} : { logs: liveLogBook(routes, () => proxy.endpoints) }),
    ...(maxRequests === null ? {} : { maxRequests }),
    ...(maxSpool === null ? {} : { maxSpool }),
  });
  try {
    await session.start();
    await followLogs(logs, session, clock);
  } catch (error) {
    await session.close();
    throw error;
  }
  serve(port, session);
  const { spool } = await session.overview();
  return { kind: 'ready', endpoints: proxy.endpoints, spool: spool.path };
}

/** Reads on for as long as there is something, and lets questions in between. */
async function read(session: Session, port: MessagePort): Promise<WorkerAnswer> {
  serve(port, session);
  const { spool } = await session.overview();
  const toTheEnd = async (): Promise<void> => {
    while (await session.advance()) await turn();
  };
  void toTheEnd();
  return { kind: 'ready', endpoints: [], spool: spool.path };
}

function failure(error: Error): WorkerAnswer {
  return error instanceof FcgiInspectError
    ? { kind: 'failed', code: error.code, message: error.message, advice: error.advice }
    : { kind: 'failed', code: 'io', message: error.message, advice: null };
}

parentPort!.postMessage(await start(workerData as WorkerTask).catch(failure));
