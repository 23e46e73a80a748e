import { MICROSECONDS_PER_SECOND } from '../../model/time.js';
import { eachOption } from './pcapng-options.js';

/**
 * Strategy: a time stamp is a 64-bit count of ticks in two halves, and most resolutions make counts that no double holds. So its upper half
 * is worth a whole number of microseconds and a rest of ticks, and only that rest is divided: `high * whole + (high * rest + low) *
 * factor / divisor`. One rounding happens, in the last addition.
 */

const TWO_TO_THE_32 = 4_294_967_296;
/** Timestamps are exact up to here, and later ones (the year 2255) are damage. */
const LATEST = Number.MAX_SAFE_INTEGER;
const OPTION_TIME_RESOLUTION = 9;
const OPTION_TIME_OFFSET = 14;
const BINARY_RESOLUTION = 0x80;
const DECIMALS_OF_MICROSECONDS = 6;

/** An interface of a pcapng section: what its packets are, and what their time stamps mean. */
export class PcapngInterface {
  private whole = TWO_TO_THE_32;
  private rest = 0;
  private factor = 1;
  private divisor = 1;
  private offset = 0;

  /**
   * @param linkType the LINKTYPE_ number
   * @param snapLength what packets are cut to; 0 says not at all
   */
  constructor(
    readonly linkType: number,
    readonly snapLength: number,
  ) {}

  /** Reads if_tsresol and if_tsoffset from the block's options in [start, end). */
  readOptions(view: DataView, start: number, end: number, little: boolean): void {
    eachOption(view, start, end, little, (code, at, length) => {
      if (code === OPTION_TIME_RESOLUTION && length >= 1) this.setResolution(view.getUint8(at));
      if (code === OPTION_TIME_OFFSET && length >= 8) {
        this.offset = Number(view.getBigInt64(at, little)) * MICROSECONDS_PER_SECOND;
      }
    });
  }

  /** Microseconds since the epoch. */
  timeOf(high: number, low: number): number {
    const at = high * this.whole + ((high * this.rest + low) * this.factor) / this.divisor + this.offset;
    if (at >= 0 && at <= LATEST) return at;
    return at < 0 ? 0 : LATEST;
  }

  private setResolution(value: number): void {
    const exponent = value & ~BINARY_RESOLUTION;
    if (value & BINARY_RESOLUTION) {
      // 20 bits of factor and 32 of count fit into a double; the powers of two cost nothing.
      this.whole = (TWO_TO_THE_32 * MICROSECONDS_PER_SECOND) / 2 ** exponent;
      this.rest = 0;
      this.factor = MICROSECONDS_PER_SECOND;
      this.divisor = 2 ** exponent;
    } else if (exponent < DECIMALS_OF_MICROSECONDS) {
      this.factor = 10 ** (DECIMALS_OF_MICROSECONDS - exponent);
      this.whole = TWO_TO_THE_32 * this.factor;
      this.rest = 0;
      this.divisor = 1;
    } else {
      this.divisor = 10 ** (exponent - DECIMALS_OF_MICROSECONDS);
      this.whole = Math.floor(TWO_TO_THE_32 / this.divisor);
      this.rest = TWO_TO_THE_32 - this.whole * this.divisor;
      this.factor = 1;
    }
  }
}
