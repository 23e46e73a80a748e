import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { type FileHandle, open, rm, unlink } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the spool asks of a disk; a seam, so that full and slow disks can be tried. Everything rejects with the system's error. */
export interface SpoolFiles {
  /** The folder all files are in. */
  readonly folder: string;
  /** A new file for reading and writing, for nobody but its owner. */
  create(name: string): Promise<SpoolFile>;
  remove(name: string): Promise<void>;
  /** Removes the folder and all that is in it. */
  removeAll(): Promise<void>;
}

export interface SpoolFile {
  /** How many of the bytes were written, at least 1. */
  write(bytes: Uint8Array, at: number): Promise<number>;
  /** How many bytes were read; 0 at the end of the file. */
  read(into: Uint8Array, at: number): Promise<number>;
  close(): Promise<void>;
}

/** Our folders are `fcgi-inspect-PID-PLACE-RANDOM`; PLACE says where the PID holds. */
const FOLDER = /^fcgi-inspect-(\d{1,10})-([0-9a-f]{8})-[A-Za-z0-9]{6}$/;
/**
 * Milliseconds without a change after which the folder of a process that we cannot ask about is taken for left behind. A spool that
 * records is written to many times a second; a day leaves room for one that waits for traffic.
 */
const ABANDONED_AFTER = 24 * 60 * 60 * 1_000;
const OWNER_READS_AND_WRITES = 0o600;

/**
 * A new folder (mode 0700) under the temporary directory. Folders of ours that were left behind are removed on the way, and this one when
 * the thread ends; a main thread that ends with process.exit stops its workers without a word and must remove the folder itself.
 * @throws the system's error when the folder cannot be made
 */
export function temporaryFiles(parent = tmpdir()): SpoolFiles {
  removeOrphans(parent);
  const folder = mkdtempSync(join(parent, `fcgi-inspect-${process.pid}-${place()}-`));
  const atExit = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', atExit);
  return {
    folder,
    async create(name) {
      return spoolFile(await open(join(folder, name), 'wx+', OWNER_READS_AND_WRITES));
    },
    remove: (name) => unlink(join(folder, name)),
    async removeAll() {
      await rm(folder, { recursive: true, force: true });
      process.removeListener('exit', atExit);
    },
  };
}

function removeOrphans(parent: string): void {
  try {
    const here = place();
    for (const entry of readdirSync(parent, { withFileTypes: true })) {
      const [, pid, where] = FOLDER.exec(entry.name) ?? [];
      if (pid === undefined || !entry.isDirectory()) continue;
      const path = join(parent, entry.name);
      if (statSync(path).uid !== process.getuid?.()) continue;
      const inUse = where === here ? isAlive(Number(pid)) : lastChange(path) > Date.now() - ABANDONED_AFTER;
      if (!inUse) rmSync(path, { recursive: true, force: true });
    }
  } catch {
    // Tidying up is a courtesy: what cannot be removed now is found again next time.
  }
}

/**
 * Where our PID means us: containers may share a temporary directory and have PIDs of their own, and so may machines. Eight hexadecimal
 * digits, of the boot and the PID namespace on Linux and of the host's name elsewhere.
 */
function place(): string {
  let name: string;
  try {
    name = `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    name = hostname();
  }
  return createHash('sha256').update(name).digest('hex').slice(0, 8);
}

/** When something in the folder was last written, made or removed; milliseconds since the epoch. */
function lastChange(folder: string): number {
  const files = readdirSync(folder).map((name) => join(folder, name));
  return Math.max(...[folder, ...files].map((path) => statSync(path).mtimeMs));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function spoolFile(handle: FileHandle): SpoolFile {
  return {
    write: async (bytes, at) => (await handle.write(bytes, 0, bytes.length, at)).bytesWritten,
    read: async (into, at) => (await handle.read(into, 0, into.length, at)).bytesRead,
    close: () => handle.close(),
  };
}
