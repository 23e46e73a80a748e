import { closeSync, openSync, write } from 'node:fs';
import { FcgiInspectError } from '../model/errors.js';

/**
 * A file to write to from its beginning, made now so that a path that cannot be written is known before traffic flows. With secrets in
 * it (`redacted` false) only its owner may read it.
 *
 * @returns writes a chunk; resolves when the system has taken it
 * @throws FcgiInspectError when it cannot be made
 */
export function openOutputFile(path: string, redacted: boolean): (chunk: string | Uint8Array) => Promise<void> {
  let fd: number;
  try {
    fd = openSync(path, 'w', redacted ? 0o666 : 0o600);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM')
      throw new FcgiInspectError('permission', `no permission to write ${path}`, 'choose another file');
    if (code === 'ENOENT')
      throw new FcgiInspectError('not-found', `the directory of ${path} does not exist`, 'make it first');
    throw new FcgiInspectError('io', `cannot write ${path}: ${message}`, 'choose another file');
  }
  process.once('exit', () => closeSync(fd));
  return (chunk) =>
    new Promise((resolve, reject) => {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      const from = (offset: number): void => {
        if (offset === bytes.length) return resolve();
        write(fd, bytes, offset, bytes.length - offset, null, (error, count) =>
          error ? reject(new FcgiInspectError('io', `cannot write ${path}: ${error.message}`)) : from(offset + count),
        );
      };
      from(0);
    });
}
