import { FcgiInspectError } from '../model/errors.js';
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
  const spool = new Spool({
    files: options.files ?? makeFiles(),
    description: options.source.description.join(', '),
    ...(options.maxSpool === undefined ? {} : { maxBytes: options.maxSpool }),
  });
  const session = new Session({ ...options, store: spool });
  // Remarkable requests may take half of the spool; the other half is for what comes.
  spool.makeRoom = (from, to, hurry) => session.makeRoom(from, to, spool.sizes.total / 2, hurry);
  return session;
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
