import type { SpoolFile, SpoolFiles } from '../../src/session/spool-files.js';

/** A disk in memory that can be full, broken or slow. */
export class FakeFiles implements SpoolFiles {
  readonly folder = '/fake';
  readonly files = new Map<string, Buffer>();
  /** When set, every write and every new file fails with it. */
  failure: (Error & { code?: string }) | null = null;
  /** When set, writes wait for it. */
  stall: Promise<void> | null = null;
  /** A write takes at most this many bytes. */
  atOnce = Number.POSITIVE_INFINITY;
  handles = 0;

  async create(name: string): Promise<SpoolFile> {
    await this.turn();
    if (this.files.has(name)) throw Object.assign(new Error('EEXIST'), { code: 'EEXIST' });
    this.files.set(name, Buffer.alloc(0));
    this.handles += 1;
    return {
      write: async (bytes, at) => {
        const part = Buffer.from(bytes.subarray(0, this.atOnce));
        await this.turn();
        const file = this.files.get(name) ?? Buffer.alloc(0);
        const grown = Buffer.alloc(Math.max(file.length, at + part.length));
        file.copy(grown);
        part.copy(grown, at);
        if (this.files.has(name)) this.files.set(name, grown);
        return part.length;
      },
      read: async (into, at) => {
        await new Promise(setImmediate);
        const part = this.files.get(name)?.subarray(at, at + into.length) ?? Buffer.alloc(0);
        into.set(part);
        return part.length;
      },
      close: async () => {
        this.handles -= 1;
      },
    };
  }

  async remove(name: string): Promise<void> {
    this.files.delete(name);
  }

  async removeAll(): Promise<void> {
    this.files.clear();
  }

  private async turn(): Promise<void> {
    await (this.stall ?? new Promise(setImmediate));
    if (this.failure !== null) throw this.failure;
  }
}

export function diskFull(): Error & { code: string } {
  return Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
}
