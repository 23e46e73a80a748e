import { FileSource } from '../capture/file-source.js';
import { describeFinding, diagnose } from '../diagnosis/diagnose.js';
import { protocols } from '../protocol/index.js';
import { captureSession } from '../session/recording-session.js';
import type { Session } from '../session/session.js';
import type { CaptureWork } from './work.js';

/**
 * How many requests of a capture are kept unless told otherwise: whoever opens a file means all of it. Below a kilobyte each: a gigabyte
 * for what would be a capture of tens of gigabytes.
 */
const MAX_REQUESTS = 1_000_000;

/**
 * A session over capture files, ready to be advanced.
 * @throws FcgiInspectError when they cannot be opened or are no captures
 */
export async function openCapture({ files, ports, maxRequests, maxSpool }: CaptureWork): Promise<Session> {
  const early: string[] = [];
  let warn = (text: string): void => void early.push(text);
  const source = await FileSource.open({
    paths: files,
    ports,
    recognise: protocols.fastcgi.recognise,
    warn: (text) => warn(text),
  });
  const session = captureSession({
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
