import { closeSync, constants, fchmodSync, fstatSync, ftruncateSync, openSync, statSync, write } from 'node:fs';
import { FcgiInspectError } from '../model/errors.js';

/** Resolves when the system has taken the chunk; rejects with an FcgiInspectError. */
export type WriteChunk = (chunk: string | Uint8Array) => Promise<void>;

/** What others may do is left to the umask; secrets are for nobody else. */
const MODE = 0o666;
const SECRET_MODE = 0o600;

/**
 * Opens a file to write, so that a path that cannot be written is known before traffic flows. What it holds already stays until the
 * returned function is called: a start that fails for another reason loses no recording.
 *
 * @param secret only its owner may read it
 * @returns empties the file and gives what writes to it
 * @throws FcgiInspectError when it cannot be opened
 */
export function openOutputFile(path: string, secret: boolean): () => WriteChunk {
  const fd = open(path, secret);
  process.once('exit', () => closeSync(fd));
  return () => {
    if (fstatSync(fd).isFile()) ftruncateSync(fd);
    return (chunk) => writeAll(fd, typeof chunk === 'string' ? Buffer.from(chunk) : chunk, path);
  };
}

/**
 * Makes sure that what is written is nothing that is read, under whatever name, and that no two outputs are one file.
 *
 * @param outputs paths to write @param inputs paths to read
 * @throws FcgiInspectError 'usage'
 */
export function refuseClashes(outputs: readonly string[], inputs: readonly string[]): void {
  const taken = new Map<string, string>();
  for (const path of inputs) {
    const file = identity(path);
    if (file !== null) taken.set(file, `it is what is read as ${path}`);
  }
  for (const path of outputs) {
    const file = identity(path);
    if (file === null) continue;
    const clash = taken.get(file);
    if (clash !== undefined)
      throw new FcgiInspectError('usage', `${path} is not written: ${clash}`, 'choose another file');
    taken.set(file, `another option writes ${path}`);
  }
}

/** Two paths with the same one are one regular file; null for what is none, or cannot be reached: its opening says why. */
function identity(path: string): string | null {
  try {
    const stats = statSync(path, { bigint: true });
    return stats.isFile() ? `${stats.dev}:${stats.ino}` : null;
  } catch {
    return null;
  }
}

function open(path: string, secret: boolean): number {
  try {
    const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT, secret ? SECRET_MODE : MODE);
    // One that was there already keeps its mode otherwise.
    if (secret && fstatSync(fd).isFile()) fchmodSync(fd, SECRET_MODE);
    return fd;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
      throw new FcgiInspectError('permission', `no permission to write ${path}`, 'choose another file');
    if (code === 'ENOENT')
      throw new FcgiInspectError('not-found', `the directory of ${path} does not exist`, 'make it first');
    if (code === 'EISDIR') throw new FcgiInspectError('io', `${path} is a directory`, 'name a file in it');
    throw new FcgiInspectError('io', `cannot write ${path}: ${message}`, 'choose another file');
  }
}

function writeAll(fd: number, bytes: Uint8Array, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const from = (offset: number): void => {
      if (offset === bytes.length) return resolve();
      write(fd, bytes, offset, bytes.length - offset, null, (error, count) =>
        error ? reject(new FcgiInspectError('io', `cannot write ${path}: ${error.message}`)) : from(offset + count),
      );
    };
    from(0);
  });
}
