import { FcgiInspectError } from '../model/errors.js';
import { type CaptureBytes, CaptureStore } from './capture-store.js';
import { Session, type SessionOptions } from './session.js';
import { Spool } from './spool.js';
import { type SpoolFiles, temporaryFiles } from './spool-files.js';

export interface RecordingOptions extends Omit<SessionOptions, 'store'> {
  /** Bytes on disk at most; DEFAULT_MAX_SPOOL when not given. */
  readonly maxSpool?: number;
  /** Where the spool lies; a folder of its own in the temporary directory when not given. */
  readonly files?: SpoolFiles;
}

/**
 * A session over a source that has no file of its own: what passes is recorded in a spool, which is removed by close() and when the
 * process ends.
 * @throws FcgiInspectError 'io' when the spool's folder cannot be made
 */
export function recordingSession(options: RecordingOptions): Session {
  const spool = makeSpool(options);
  const session = new Session({ ...options, store: spool });
  // Remarkable requests may take half of the spool; the other half is for what comes.
  spool.makeRoom = (from, to, hurry) => session.makeRoom(from, to, spool.sizes.total / 2, hurry);
  return session;
}

export interface CaptureOptions extends RecordingOptions {
  readonly capture: CaptureBytes;
  /** All bytes can be read again from the capture. */
  readonly isSeekable: boolean;
}

/**
 * A session over captures: what lies in files is read from them, the rest (pipes, what was packed) is recorded in a spool.
 * @throws FcgiInspectError 'io' when the spool's folder cannot be made
 */
export function captureSession(options: CaptureOptions): Session {
  let room = 0;
  const make = () => {
    const spool = makeSpool(options);
    room = spool.sizes.total / 2;
    return spool;
  };
  const store = new CaptureStore(options.capture, make, !options.isSeekable);
  const session = new Session({ ...options, store });
  store.makeRoom = (from, to, hurry) => session.makeRoom(from, to, room, hurry);
  return session;
}

function makeSpool({ files, source, maxSpool }: RecordingOptions): Spool {
  return new Spool({
    files: files ?? makeFiles(),
    description: source.description.join(', '),
    ...(maxSpool === undefined ? {} : { maxBytes: maxSpool }),
  });
}

function makeFiles(): SpoolFiles {
  try {
    return temporaryFiles();
  } catch (error) {
    throw new FcgiInspectError(
      'io',
      `cannot make a folder for what is recorded: ${(error as Error).message}`,
      'set TMPDIR to a directory that can be written to',
    );
  }
}
