import { FileSource } from '../capture/file-source.js';
import { describeFinding, diagnose } from '../diagnosis/diagnose.js';
import { protocols } from '../protocol/index.js';
import type { LogBook } from '../session/log-book.js';
import { captureSession } from '../session/recording-session.js';
import type { Session } from '../session/session.js';
import { readLogs } from './logs.js';
import type { CaptureWork } from './work.js';

/**
 * How many requests of a capture are kept unless told otherwise: whoever opens a file means all of it. Below a kilobyte each: a gigabyte
 * for what would be a capture of tens of gigabytes.
 */
const MAX_REQUESTS = 1_000_000;

/**
 * A session over capture files, ready to be advanced.
 * @param lines log lines that were read already, in place of those in `logs`
 * @throws FcgiInspectError when they cannot be opened or are no captures
 */
export async function openCapture(
  { files, ports, logs, maxRequests, maxSpool }: CaptureWork,
  lines: LogBook | null = null,
): Promise<Session> {
  const early: string[] = [];
  let warn = (text: string): void => void early.push(text);
  const source = await FileSource.open({
    paths: files,
    ports,
    recognise: protocols.fastcgi.recognise,
    warn: (text) => warn(text),
  });
  const book = lines ?? (logs.length === 0 ? null : await readLogs(logs));
  const session = captureSession({
    ...(book === null ? {} : { logs: book }),
    source,
    capture: source,
    isSeekable: source.isSeekable,
    protocol: protocols.fastcgi,
    clock: () => source.now,
    diagnose,
    describe: describeFinding,
    maxRequests: maxRequests ?? MAX_REQUESTS,
    ...(maxSpool === null ? {} : { maxSpool }),
  });
  warn = (text) => session.warn(text);
  for (const text of early) session.warn(text);
  await session.start();
  return session;
}
