/**
 * Durations and sizes as people write and read them. Written without a space and without anything but ASCII, so that a column of
 * them stays one field for `awk`; read in every spelling that the tools around us use.
 *
 * Sizes are decimal (1 MB = 1 000 000 bytes), as in Wireshark's columns and in what disks and links are sold by; `KiB`, `MiB` and
 * `GiB` are the binary ones. Three significant digits: enough to compare, short enough for a column.
 */

export type DurationUnit = 'ms' | 's';
export type SizeUnit = 'B' | 'KB' | 'MB';

/** What stands where a figure is not known. */
const UNKNOWN = '-';

const MS_PER_SECOND = 1_000;
const SECONDS_PER_MINUTE = 60;
const SECONDS_PER_HOUR = 3_600;
const SECONDS_PER_DAY = 86_400;

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3, // micro sign
  μs: 1e-3, // Greek mu, which is what most keyboards give
  ms: 1,
  s: MS_PER_SECOND,
  sec: MS_PER_SECOND,
  m: SECONDS_PER_MINUTE * MS_PER_SECOND,
  min: SECONDS_PER_MINUTE * MS_PER_SECOND,
  h: SECONDS_PER_HOUR * MS_PER_SECOND,
  d: SECONDS_PER_DAY * MS_PER_SECOND,
};

const KILO = 1_000;
const KIBI = 1_024;
const SIZE_UNITS: Readonly<Record<string, number>> = {
  b: 1,
  k: KILO,
  kb: KILO,
  m: KILO ** 2,
  mb: KILO ** 2,
  g: KILO ** 3,
  gb: KILO ** 3,
  t: KILO ** 4,
  tb: KILO ** 4,
  ki: KIBI,
  kib: KIBI,
  mi: KIBI ** 2,
  mib: KIBI ** 2,
  gi: KIBI ** 3,
  gib: KIBI ** 3,
  ti: KIBI ** 4,
  tib: KIBI ** 4,
};

/**
 * `0.25ms`, `12.5ms`, `980ms`, `1.50s`, `42.0s`, `1m40s`, `2h05m`, `3d04h`; `-` when not known.
 * @param ms milliseconds
 */
export function formatDuration(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms)) return UNKNOWN;
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (rounded(ms) < MS_PER_SECOND) return `${significant(ms, 2)}ms`;
  const seconds = ms / MS_PER_SECOND;
  if (rounded(seconds) < 100 && Number(seconds.toFixed(1)) < 100) return `${significant(seconds, 2)}s`;
  const whole = Math.round(seconds);
  if (whole < SECONDS_PER_HOUR) return pair(whole, SECONDS_PER_MINUTE, 'm', 1, 's');
  const minutes = Math.round(seconds / SECONDS_PER_MINUTE) * SECONDS_PER_MINUTE;
  if (minutes < SECONDS_PER_DAY) return pair(minutes, SECONDS_PER_HOUR, 'h', SECONDS_PER_MINUTE, 'm');
  const hours = Math.round(seconds / SECONDS_PER_HOUR) * SECONDS_PER_HOUR;
  return pair(hours, SECONDS_PER_DAY, 'd', SECONDS_PER_HOUR, 'h');
}

/**
 * `0B`, `999B`, `5.12kB`, `12.5MB`, `1.50GB`; `-` when not known.
 * @param bytes a count of bytes
 */
export function formatBytes(bytes: number | null): string {
  if (bytes === null || !Number.isFinite(bytes)) return UNKNOWN;
  if (bytes < KILO) return `${Math.round(bytes)}B`;
  let value = bytes;
  for (const unit of ['kB', 'MB', 'GB', 'TB']) {
    value /= KILO;
    if (rounded(value) < KILO) return `${significant(value, 2)}${unit}`;
  }
  return `${Math.round(value)}TB`;
}

/**
 * Reads `200ms`, `1.5s`, `2m`, `1m40s`, `1 h`, in milliseconds. Null for anything else, a negative one included.
 * @param bare the unit of a number without one; a wrong expression when it is left out
 */
export function parseDuration(text: string, bare?: DurationUnit): number | null {
  const trimmed = text.trim();
  const number = plainNumber(trimmed);
  if (number !== null) return bare === undefined && number !== 0 ? null : number * (DURATION_UNITS[bare ?? 'ms'] ?? 1);
  if (!/^(?:\d+(?:\.\d*)?|\.\d+) ?[a-zµμ]+(?: ?(?:\d+(?:\.\d*)?|\.\d+) ?[a-zµμ]+)*$/i.test(trimmed)) return null;
  let total = 0;
  for (const [, digits, unit] of trimmed.matchAll(/(\d+(?:\.\d*)?|\.\d+) ?([a-zµμ]+)/gi)) {
    const factor = DURATION_UNITS[unit!.toLowerCase()];
    if (factor === undefined) return null;
    total += Number(digits) * factor;
  }
  return total;
}

/**
 * Reads `512`, `64k`, `1MB`, `1.5 GiB`, in bytes, rounded to whole ones. Null for anything else, a negative one included.
 * @param bare the unit of a number without one
 */
export function parseBytes(text: string, bare: SizeUnit = 'B'): number | null {
  const match = /^(\d+(?:\.\d*)?|\.\d+) ?([a-z]*)$/i.exec(text.trim());
  if (match === null) return null;
  const factor = SIZE_UNITS[(match[2] || bare).toLowerCase()];
  return factor === undefined ? null : Math.round(Number(match[1]) * factor);
}

function plainNumber(text: string): number | null {
  return /^(?:\d+(?:\.\d*)?|\.\d+)$/.test(text) ? Number(text) : null;
}

/** What a figure below a thousand becomes when it is shown without decimals: decides whether it needs the next unit. */
function rounded(value: number): number {
  return value >= 100 ? Math.round(value) : value;
}

/** Three digits: 1.23, 12.3, 123. */
function significant(value: number, decimals: number): string {
  if (Number(value.toFixed(decimals)) < 10) return value.toFixed(decimals);
  if (Number(value.toFixed(decimals - 1)) < 100) return value.toFixed(decimals - 1);
  return value.toFixed(0);
}

function pair(seconds: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)}${largeUnit}${String(rest).padStart(2, '0')}${smallUnit}`;
}
