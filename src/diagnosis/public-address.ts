import type { Endpoint } from '../model/connection.js';

/**
 * Whether an address is one of the public Internet: neither this machine, nor of the ranges for private networks, containers and
 * links (RFC 1918, 6598, 3927, 4193, 4291). What is no address is not public.
 */
export function isPublicAddress(host: string): boolean {
  if (host === lastHost) return lastAnswer;
  lastHost = host;
  lastAnswer = host.includes(':') ? isPublicIpv6(host.toLowerCase()) : isPublicIpv4(host);
  return lastAnswer;
}

/** Whether what passes on a connection between these two leaves the machine. */
export function crossesNetwork(client: Endpoint, server: Endpoint): boolean {
  if (client.kind === 'unix' || server.kind === 'unix') return false;
  return client.host !== server.host && !isLoopback(client.host) && !isLoopback(server.host);
}

/** The requests of a web server come from one address: it is judged once. */
let lastHost = '';
let lastAnswer = false;

function isLoopback(host: string): boolean {
  return host.startsWith('127.') || host === '::1' || host.startsWith('::ffff:127.');
}

function isPublicIpv4(host: string): boolean {
  const parts = host.split('.').map(Number);
  const [a, b] = parts;
  if (parts.length !== 4 || a === undefined || b === undefined) return false;
  if (parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255)) return false;
  if (a === 0 || a === 10 || a === 127 || a >= 224) return false;
  if (a === 100) return b < 64 || b > 127;
  if (a === 169) return b !== 254;
  if (a === 172) return b < 16 || b > 31;
  if (a === 192) return b !== 168;
  return true;
}

function isPublicIpv6(host: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(host);
  if (mapped) return isPublicIpv4(mapped[1]!);
  // Global unicast is 2000::/3; the rest is unspecified, loopback, fc00::/7, fe80::/10, multicast.
  return /^[23][0-9a-f]{3}:/.test(host);
}
