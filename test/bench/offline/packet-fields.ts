/** Ethernet, IPv4 without options, TCP: where the fields of a packet on the loopback interface lie. */
export const IP = 14;
export const TCP = IP + 20;
/** nginx and tshark know this port. */
export const SERVER_PORT = 9000;
const SERVER_ADDRESS = 0x0a_01_00_01;
const FIRST_CLIENT_ADDRESS = 0x0a_00_00_01;
/** The ports that Linux gives to outgoing connections: as many connections an address has before the next one is taken. */
const FIRST_CLIENT_PORT = 32_768;
const CLIENT_PORTS = 28_232;

/** Gives a packet the addresses of connection `number`: no two connections have the same. */
export function address(packet: Buffer, number: number, fromClient: boolean): void {
  const client = FIRST_CLIENT_ADDRESS + Math.floor(number / CLIENT_PORTS);
  const port = FIRST_CLIENT_PORT + (number % CLIENT_PORTS);
  packet.writeUInt32BE(fromClient ? client : SERVER_ADDRESS, IP + 12);
  packet.writeUInt32BE(fromClient ? SERVER_ADDRESS : client, IP + 16);
  packet.writeUInt16BE(fromClient ? port : SERVER_PORT, TCP);
  packet.writeUInt16BE(fromClient ? SERVER_PORT : port, TCP + 2);
  checksum(packet);
}

/** The one of the IP header. That of TCP is wrong on a loopback interface anyway: nobody computes it there. */
function checksum(packet: Buffer): void {
  packet.writeUInt16BE(0, IP + 10);
  let sum = 0;
  for (let at = IP; at < TCP; at += 2) sum += packet.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  packet.writeUInt16BE(~sum & 0xffff, IP + 10);
}

/** The places in `bytes` where a copy has its number in place of `mark`. */
export function marks(bytes: Uint8Array, mark: string): number[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: number[] = [];
  for (let at = buffer.indexOf(mark); at >= 0; at = buffer.indexOf(mark, at + mark.length)) found.push(at);
  return found;
}

/** The number of a copy, as long as the mark in whose place it is written. */
export function serial(number: number, length: number): Buffer {
  return Buffer.from(number.toString(36).padStart(length, '0'), 'latin1');
}
