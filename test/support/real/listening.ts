import { readFileSync } from 'node:fs';
import type { Endpoint } from '../../../src/model/connection.js';

/**
 * Whether somebody listens at an address, read from the kernel's own tables. A trial connection would tell as much, but the program
 * under test would take it for traffic and a packet capture would show it.
 */
export function listening(address: Endpoint): boolean {
  return address.kind === 'unix' ? unixListening(address.path) : tcpListening(address.port);
}

const TCP_LISTEN = '0A';
/** `__SO_ACCEPTCON` in the flags column of /proc/net/unix. */
const ACCEPTS_CONNECTIONS = '00010000';

/** An abstract name is padded with NUL bytes by some, and the kernel shows a NUL as `@`. */
const ABSTRACT_PADDING = /^(@.*?)@+$/;

function tcpListening(port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return ['/proc/net/tcp', '/proc/net/tcp6'].some((table) =>
    rows(table).some((columns) => columns[1]?.endsWith(`:${hex}`) && columns[3] === TCP_LISTEN),
  );
}

function unixListening(path: string): boolean {
  return rows('/proc/net/unix').some(
    (columns) => columns[3] === ACCEPTS_CONNECTIONS && columns[7]?.replace(ABSTRACT_PADDING, '$1') === path,
  );
}

function rows(table: string): string[][] {
  try {
    return readFileSync(table, 'latin1')
      .split('\n')
      .map((line) => line.trim().split(/\s+/));
  } catch {
    return [];
  }
}
