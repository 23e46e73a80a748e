/** What the tests use of the package, which has no types of its own. */
declare module 'pcap-parser' {
  interface Packet {
    readonly header: {
      readonly timestampSeconds: number;
      readonly timestampMicroseconds: number;
      readonly capturedLength: number;
      readonly originalLength: number;
    };
    readonly data: Uint8Array;
  }
  interface Parser {
    on(event: 'packet', listener: (packet: Packet) => void): void;
    on(event: 'error', listener: (error: Error) => void): void;
    on(event: 'end', listener: () => void): void;
  }
  export function parse(input: string | NodeJS.ReadableStream): Parser;
}
