import type { FormatParser, FormatReports } from './format.js';
import { PCAP_FILE_HEADER, PCAP_MICROSECONDS, PCAP_MODIFIED, PCAP_NANOSECONDS, PcapParser } from './pcap.js';
import { PCAPNG_SECTION_HEAD, PcapngParser } from './pcapng.js';
import { PCAPNG_BYTE_ORDER, PCAPNG_SECTION } from './pcapng-block.js';

/** A format of capture files that can be read. */
export interface CaptureFormat {
  readonly name: 'pcap' | 'pcapng';
  /** What every file of this format has at least, in bytes. */
  readonly smallest: number;
  /** @param origin that of the file's first byte, or -1 when its bytes lie in no file */
  open(origin: number, reports: FormatReports): FormatParser;
}

/** How many bytes sniffFormat wants to see, if there are so many. */
export const SNIFF_LENGTH = 12;

/** The format that a capture's first bytes tell of, or null. */
export function sniffFormat(head: Uint8Array): CaptureFormat | null {
  if (head.length < 4) return null;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  for (const little of [true, false]) {
    const format = FORMATS.get(view.getUint32(0, little));
    if (format?.matches(view, little)) {
      return {
        name: format.name,
        smallest: format.smallest,
        open: (origin, reports) => format.open(little, origin, reports),
      };
    }
  }
  return null;
}

interface Row {
  readonly name: CaptureFormat['name'];
  readonly smallest: number;
  matches(view: DataView, little: boolean): boolean;
  open(little: boolean, origin: number, reports: FormatReports): FormatParser;
}

const PCAP: Row = {
  name: 'pcap',
  smallest: PCAP_FILE_HEADER,
  matches: () => true,
  open: (little, origin, reports) => new PcapParser(little, origin, reports),
};

const PCAPNG: Row = {
  name: 'pcapng',
  smallest: PCAPNG_SECTION_HEAD,
  // The type of a section header reads the same in both byte orders, and may be line ends of a text.
  matches: (view, little) => view.byteLength < SNIFF_LENGTH || view.getUint32(8, little) === PCAPNG_BYTE_ORDER,
  open: (_little, origin, reports) => new PcapngParser(origin, reports),
};

const FORMATS: ReadonlyMap<number, Row> = new Map([
  [PCAP_MICROSECONDS, PCAP],
  [PCAP_NANOSECONDS, PCAP],
  [PCAP_MODIFIED, PCAP],
  [PCAPNG_SECTION, PCAPNG],
]);

export type { CaptureComment, FormatParser, FormatReports } from './format.js';
export { NEEDED_LIMIT, PacketSlot } from './format.js';
