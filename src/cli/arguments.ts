import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { type Endpoint, formatEndpoint } from '../model/connection.js';
import { FcgiInspectError } from '../model/errors.js';
import type { Severity } from '../model/finding.js';
import type { BodyMode } from '../model/output.js';
import { parseBytes, parseDuration } from '../model/quantity.js';
import { parseFilter } from '../session/filter.js';
import { isLocal, parseAddress } from './address.js';
import type { ExplainSettings } from './explain.js';
import { EPILOGUE, EXPLAIN_EPILOGUE } from './help.js';
import { rulesText } from './rules.js';

export type Format = 'tui' | 'lines' | 'detail' | 'ndjson' | 'report';

/** What the command line asks for, checked and complete. */
export interface Settings {
  readonly command: 'proxy' | 'demo' | 'capture';
  /** Capture files, `-` for standard input; empty for the other commands. */
  readonly files: readonly string[];
  /** The server ports that carry FastCGI in a capture; null: found by content. */
  readonly ports: readonly number[] | null;
  readonly routes: readonly { readonly listen: Endpoint; readonly upstream: Endpoint }[];
  readonly filter: string;
  /** What standard output gets; null when a file option has taken standard output for itself. */
  readonly format: Format | null;
  /** A path, `-` for standard output, or null. */
  readonly har: string | null;
  readonly ndjson: string | null;
  /** Paths of logs that are read beside the traffic. */
  readonly logs: readonly string[];
  readonly bodies: BodyMode;
  readonly redact: boolean;
  readonly failOn: Severity | 'never';
  readonly count: number | null;
  /** Milliseconds. */
  readonly duration: number | null;
  readonly maxRequests: number | null;
  /** Bytes. */
  readonly maxSpool: number | null;
  readonly color: boolean;
  readonly quiet: boolean;
  /** What a person should be told before it starts. */
  readonly warnings: readonly string[];
}

/** What the process stands in. */
export interface Surroundings {
  readonly version: string;
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
  /** Of the terminal on standard output, where it tells. */
  readonly columns?: number | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** `--help` and `--version` give a text and nothing to do. */
export type Parsed =
  | { readonly settings: Settings }
  | { readonly explain: ExplainSettings }
  | { readonly print: string };

/**
 * Reads the arguments after the program's name.
 *
 * @throws FcgiInspectError for a wrong usage, with what is wrong and what to try
 */
export function parseArguments(args: readonly string[], around: Surroundings): Parsed {
  let result: Settings | undefined;
  let asked: ExplainSettings | undefined;
  let printed = '';
  let complaint = '';
  const program = new Command('fcgi-inspect')
    .description(
      'A debugging proxy for FastCGI: point the web server at --listen, and see every request as it passes to ' +
        '--upstream: its records in time, params, bodies, STDERR, how it ended, and who ended it.',
    )
    .usage(
      '--listen ADDRESS --upstream ADDRESS [options]\n       fcgi-inspect FILE... [options]\n       fcgi-inspect demo [options]\n       fcgi-inspect rules [ID]\n       fcgi-inspect explain [TEXT | LOG | -] [--capture FILE]',
    )
    .option(
      '--listen <address>',
      'where the web server is to connect (repeatable: pairs with --upstream in order)',
      collect,
    )
    .option('--upstream <address>', 'where the FastCGI backend listens', collect);
  inspecting(program)
    .version(around.version, '-V, --version', 'the version')
    .argument('[files...]', 'captures to read: pcap or pcapng, also gzipped; - is standard input')
    .option('--port <list>', 'the server ports that carry FastCGI in a capture (default: found by content)', portList)
    .addHelpText('after', EPILOGUE)
    .action((files: string[], raw: Raw) => {
      result = settingsOf(files.length > 0 ? 'capture' : 'proxy', raw, around, files);
    });
  const demo = inspecting(new Command('demo'))
    .description(
      'Show it all at work: the proxy between a built-in web-server side and a built-in FastCGI application.',
    )
    .action((_: Raw, command: Command) => {
      result = settingsOf('demo', command.optsWithGlobals(), around);
    });
  const rules = new Command('rules')
    .description('The diagnosis rules, or all about one.')
    .argument('[id]', 'the id of a finding')
    .addOption(colorOption())
    .action((id: string | undefined, _: unknown, command: Command) => {
      printed = rulesText(id ?? null, {
        color: colorOf(command.optsWithGlobals(), around),
        width: around.stdoutIsTerminal ? (around.columns ?? null) : null,
      });
    });
  const explain = new Command('explain')
    .description(
      'What the lines of an error log (nginx, lighttpd, Apache, HAProxy, Caddy, h2o, OpenLiteSpeed, IIS, PHP-FPM, PHP, fcgiwrap) mean: ' +
        'what it may be, what to change, and what to look for on the wire.',
    )
    .argument('[text...]', 'a line, logs, or - for standard input')
    .option('--capture <file>', 'a capture of that time: says which of its requests it is about (repeatable)', collect)
    .option('--no-redact', 'keep secrets in URLs')
    .addOption(colorOption())
    .addHelpText('after', EXPLAIN_EPILOGUE)
    .action((what: string[], _: unknown, command: Command) => {
      asked = explainSettings(what, command.optsWithGlobals(), around);
    });
  program.addCommand(demo).addCommand(rules).addCommand(explain);
  for (const command of [program, demo, rules, explain])
    command
      .helpOption('-h, --help', 'this text')
      .helpCommand(false)
      .exitOverride()
      .configureOutput({
        writeOut: (text) => {
          printed += text;
        },
        writeErr: (text) => {
          complaint += text;
        },
      });
  try {
    program.parse([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { print: printed };
    const [wrong = '', guess] = (complaint || error.message)
      .trim()
      .replace(/^error: /, '')
      .split('\n');
    const advice = 'see fcgi-inspect --help';
    throw new FcgiInspectError(
      'usage',
      wrong,
      guess === undefined ? advice : `${guess.replace(/[()]/g, '')} ${advice}`,
    );
  }
  if (asked !== undefined) return { explain: asked };
  return result === undefined ? { print: printed } : { settings: result };
}

interface Raw {
  readonly listen?: string[];
  readonly upstream?: string[];
  readonly port?: number[];
  readonly filter?: string;
  readonly format?: Format;
  readonly har?: string;
  readonly ndjson?: string;
  readonly log?: string[];
  readonly bodies: BodyMode;
  readonly redact: boolean;
  readonly failOn: Severity | 'never';
  readonly count?: number;
  readonly duration?: number;
  readonly maxRequests?: number;
  readonly maxSpool?: number;
  readonly color: 'auto' | 'always' | 'never';
  readonly quiet?: boolean;
}

/** The options of every command that inspects. */
function inspecting(command: Command): Command {
  return command
    .option(
      '-Y, --filter <expr>',
      "show and export only the requests that match, e.g. 'status >= 500 and ttfb > 200ms'",
    )
    .addOption(
      new Option('--format <format>', 'what standard output gets (default: tui on a terminal, else lines)').choices([
        'tui',
        'lines',
        'detail',
        'ndjson',
        'report',
      ]),
    )
    .option('--har <file>', 'also write HAR 1.2; - is standard output')
    .option('--ndjson <file>', 'also write NDJSON; - is standard output')
    .addOption(
      new Option('--bodies <what>', "what NDJSON says of each stream's bytes")
        .choices(['none', 'text', 'base64', 'sha256'])
        .default('none'),
    )
    .option(
      '--log <file>',
      'an error log whose lines belong to these requests: followed, or beside a capture read whole (repeatable)',
      collect,
    )
    .option(
      '--no-redact',
      'keep secrets in HAR, NDJSON, lines, detail and reports (the terminal UI always shows what passed)',
    )
    .addOption(
      new Option('--fail-on <severity>', 'exit 3 if a finding of that severity or worse was made')
        .choices(['error', 'warning', 'never'])
        .default('never'),
    )
    .option('-n, --count <n>', 'stop after N requests', positive)
    .option('--duration <time>', 'stop after a time (90s, 5m)', duration)
    .option('--max-requests <n>', 'how many requests are kept (default: 100000, of captures 1000000)', positive)
    .option('--max-spool <size>', 'how many bytes are kept on disk (default: 1GiB)', size)
    .addOption(colorOption())
    .option('-q, --quiet', 'no messages on standard error but errors');
}

function colorOption(): Option {
  return new Option('--color <when>', 'colours; NO_COLOR is honoured')
    .choices(['auto', 'always', 'never'])
    .default('auto');
}

function explainSettings(
  what: readonly string[],
  raw: Raw & { readonly capture?: string[] },
  around: Surroundings,
): ExplainSettings {
  if (what.length === 0 && around.stdinIsTerminal)
    throw new FcgiInspectError(
      'usage',
      'nothing to explain',
      "give a line in quotes, a log, or - for standard input: fcgi-inspect explain 'upstream sent too big header'",
    );
  return {
    what: what.length === 0 ? ['-'] : what,
    captures: raw.capture ?? [],
    redact: raw.redact,
    color: colorOf(raw, around),
    width: around.stdoutIsTerminal ? (around.columns ?? null) : null,
  };
}

function settingsOf(
  command: Settings['command'],
  raw: Raw,
  around: Surroundings,
  files: readonly string[] = [],
): Settings {
  const filter = raw.filter ?? '';
  parseFilter(filter);
  const warnings: string[] = [];
  if (command === 'demo' && (raw.listen || raw.upstream))
    throw new FcgiInspectError('usage', 'the demo has addresses of its own', 'leave --listen and --upstream out');
  if (command === 'capture') checkFiles(files, raw);
  else if (raw.port !== undefined)
    throw new FcgiInspectError(
      'usage',
      '--port is for captures',
      'a proxy is told by --listen and --upstream where FastCGI passes',
    );
  if (raw.har !== undefined && raw.har === raw.ndjson && raw.har !== '-')
    throw new FcgiInspectError('usage', `--har and --ndjson both want ${raw.har}`, 'give each a file of its own');
  return {
    command,
    files,
    ports: raw.port ?? null,
    routes: command === 'proxy' ? routesOf(raw, warnings) : [],
    filter,
    format: formatOf(raw, around, files.includes('-')),
    har: raw.har ?? null,
    ndjson: raw.ndjson ?? null,
    logs: raw.log ?? [],
    bodies: raw.bodies,
    redact: raw.redact,
    failOn: raw.failOn,
    count: raw.count ?? null,
    duration: raw.duration ?? null,
    maxRequests: raw.maxRequests ?? null,
    maxSpool: raw.maxSpool ?? null,
    color: colorOf(raw, around),
    quiet: raw.quiet ?? false,
    warnings,
  };
}

function routesOf(raw: Raw, warnings: string[]): Settings['routes'] {
  const listens = (raw.listen ?? []).map((text) => parseAddress(text, '--listen'));
  const upstreams = (raw.upstream ?? []).map((text) => parseAddress(text, '--upstream'));
  if (listens.length === 0 && upstreams.length === 0)
    throw new FcgiInspectError(
      'usage',
      'nothing to inspect',
      'try fcgi-inspect demo, fcgi-inspect capture.pcapng, or fcgi-inspect --listen 9001 --upstream 9000 with the web server pointed at port 9001',
    );
  if (listens.length !== upstreams.length)
    throw new FcgiInspectError(
      'usage',
      `${listens.length} --listen and ${upstreams.length} --upstream: each needs its partner`,
      'the first --listen pairs with the first --upstream, the second with the second',
    );
  for (const endpoint of listens)
    if (!isLocal(endpoint))
      warnings.push(
        `${formatEndpoint(endpoint)} can be reached from other hosts. FastCGI has no authentication: whoever reaches it runs code on the backend`,
      );
  for (const endpoint of upstreams)
    if (endpoint.kind === 'tcp' && endpoint.port === 0)
      throw new FcgiInspectError(
        'bad-address',
        '--upstream needs a port other than 0',
        'name the port on which the backend listens',
      );
  return listens.map((listen, index) => ({ listen, upstream: upstreams[index]! }));
}

/** @param readsStdin standard input is a capture: the terminal UI then takes its keys from the terminal itself */
function formatOf(raw: Raw, around: Surroundings, readsStdin: boolean): Format | null {
  const claims = [
    raw.har === '-' && '--har -',
    raw.ndjson === '-' && '--ndjson -',
    raw.format && `--format ${raw.format}`,
  ].filter((claim) => typeof claim === 'string');
  if (claims.length > 1)
    throw new FcgiInspectError('usage', `${claims.join(' and ')} both want standard output`, 'give one of them a file');
  if (raw.format === 'tui' && !((around.stdinIsTerminal || readsStdin) && around.stdoutIsTerminal))
    throw new FcgiInspectError(
      'usage',
      '--format tui needs a terminal on standard input and output',
      'use --format lines here',
    );
  if (raw.format) return raw.format;
  if (claims.length > 0) return null;
  return around.stdinIsTerminal && around.stdoutIsTerminal ? 'tui' : 'lines';
}

/** https://no-color.org: set and not empty. */
function colorOf(raw: Pick<Raw, 'color'>, { env, stdoutIsTerminal }: Surroundings): boolean {
  if (raw.color !== 'auto') return raw.color === 'always';
  return stdoutIsTerminal && !env.NO_COLOR && env.TERM !== 'dumb';
}

/** Words that other versions of the command line, or other tools, know as commands. */
const NOT_FILES: ReadonlySet<string> = new Set(['spawn', 'attach', 'trace', 'help']);

function checkFiles(files: readonly string[], raw: Raw): void {
  if (raw.listen || raw.upstream)
    throw new FcgiInspectError(
      'usage',
      `${JSON.stringify(files[0])} is a capture file, and --listen and --upstream make a proxy`,
      'inspect one at a time',
    );
  const word = files[0]!;
  if (NOT_FILES.has(word))
    throw new FcgiInspectError(
      'usage',
      `${JSON.stringify(word)} is no command of this version`,
      `for a capture file of that name write ./${word}; see fcgi-inspect --help`,
    );
  const twice = files.find((file, i) => files.indexOf(file) !== i);
  if (twice !== undefined)
    throw new FcgiInspectError('usage', `${JSON.stringify(twice)} is named twice`, 'each capture is read once');
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return value;
}

function duration(text: string): number {
  const value = parseDuration(text, 's');
  if (value === null || value === 0) throw new InvalidArgumentError('Write a time as 90s, 5m or 1h30m.');
  return value;
}

function size(text: string): number {
  const value = parseBytes(text);
  if (value === null || value === 0) throw new InvalidArgumentError('Write a size as 64MB or 1GiB.');
  return value;
}

function portList(text: string, before: readonly number[] = []): number[] {
  const ports = text.split(',').flatMap((part) => {
    const range = /^\s*(\d{1,5})\s*(?:-\s*(\d{1,5})\s*)?$/.exec(part);
    const first = Number(range?.[1] ?? 0);
    const last = Number(range?.[2] ?? first);
    if (first < 1 || last < first || last > 65_535)
      throw new InvalidArgumentError('Write ports as 9000 or 9000,9001 or 9000-9010.');
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  return [...before, ...ports];
}
