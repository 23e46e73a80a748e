import { openSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReadStream } from 'node:tty';
import type { Application } from '../demo/application.js';
import { EXPORTERS } from '../export/index.js';
import { type PumpResult, pump } from '../export/runner.js';
import { formatEndpoint } from '../model/connection.js';
import { FcgiInspectError } from '../model/errors.js';
import type { Inspection, Overview } from '../model/inspection.js';
import type { Output } from '../model/output.js';
import { visibleText } from '../model/visible-text.js';
import { PRINTERS, summaryText } from '../print/index.js';
import type { Settings } from './arguments.js';
import { openOutputFile, refuseClashes, type WriteChunk } from './output-file.js';
import { Progress } from './progress.js';
import { type Recording, readInStep, startRecording } from './recording.js';
import { Signals } from './signals.js';
import { restoreTerminal, Terminal, terminalTaken } from './terminal.js';
import type { Writer } from './writer.js';

/** How long a stop lets open requests finish, in milliseconds; a second signal ends it at once. */
const GRACE = 10_000;
/** Open requests that end within this many milliseconds of a stop are not announced. */
const NOT_WORTH_A_WORD = 200;
/** How long after a second signal readers may still take what was written for them, in milliseconds: one of them may never read again. */
const LAST_READ = 2_000;
/** How long an error of ours waits to be explained by the end of the relay's thread, in milliseconds. */
const EXPLANATION = 1_000;
/** How long the demo runs where nobody watches, in milliseconds. */
const DEMO_DURATION = 5_000;
/** How often warnings of the session are looked for while no screen shows them. */
const WARNING_INTERVAL = 1_000;

export interface Streams {
  readonly stdout: Writer;
  readonly stderr: Writer;
  readonly version: string;
}

/** Where the file options lead; null without the option. */
interface Files {
  readonly har: (() => WriteChunk) | null;
  readonly ndjson: (() => WriteChunk) | null;
}

/**
 * Inspects until the user, a limit or a signal ends it, in order.
 *
 * @returns the exit status
 * @throws FcgiInspectError when it cannot start
 */
export async function run(settings: Settings, streams: Streams): Promise<number> {
  const open = (path: string | null): (() => WriteChunk) | null =>
    path === null
      ? null
      : path === '-'
        ? () => (chunk) => streams.stdout.write(chunk)
        : openOutputFile(path, !settings.redact);
  const written = [settings.har, settings.ndjson].flatMap((path) => (path === null || path === '-' ? [] : [path]));
  refuseClashes(written, settings.files);
  const files: Files = { har: open(settings.har), ndjson: open(settings.ndjson) };
  const signals = new Signals();
  let application: Application | null = null;
  let recording: Recording | null = null;
  try {
    // What the screen takes to load and what the thread takes to start are taken at the same time. A failure is met where it is used.
    if (settings.format === 'tui') loadScreen().catch(() => {});
    const demo = settings.command === 'demo' ? await import('../demo/index.js') : null;
    if (demo !== null) application = await demo.startApplication();
    const started = startWork(settings, application);
    const first = settings.command === 'capture' ? await orEnd(started, settings, signals) : await started;
    if (typeof first === 'string') return 128 + constants.signals[first];
    recording = first;
    const webServer = demo
      ? demo.startWebServer(recording.endpoints[0]!, {
          onFailure: ({ name }, error) =>
            streams.stderr.offer(`fcgi-inspect: the demo could not play "${name}": ${error.message}\n`),
        })
      : null;
    return await new Run(settings, streams, files, recording, signals).toTheEnd(async () => {
      await webServer?.stop();
    });
  } finally {
    await recording?.end();
    await application?.stop();
    signals.release();
  }
}

/** React and Ink are for those who see them only. */
function loadScreen(): Promise<typeof import('../tui/start.js')> {
  return import('../tui/start.js');
}

/** The proxy has a thread of its own, so has the reading of captures for the screen; headless, captures are read as fast as is written. */
function startWork(settings: Settings, application: Application | null): Promise<Recording> {
  const { logs, maxRequests, maxSpool, files, ports } = settings;
  const limits = { logs, maxRequests, maxSpool };
  if (settings.command === 'capture') {
    const work = { kind: 'capture', files, ports, ...limits } as const;
    return settings.format === 'tui' ? startRecording(work) : readInStep(work);
  }
  const routes = application
    ? [{ listen: { kind: 'tcp', host: '127.0.0.1', port: 0 } as const, upstream: application.address }]
    : settings.routes;
  return startRecording({ kind: 'proxy', routes, ...limits });
}

/**
 * What comes first: captures that have begun, or a signal. A pipe may say nothing for as long as it likes.
 * @throws FcgiInspectError when neither comes within --duration
 */
async function orEnd<T>(started: Promise<T>, { duration }: Settings, signals: Signals): Promise<T | NodeJS.Signals> {
  const signal = new Promise<NodeJS.Signals>((resolve) => signals.handle(resolve));
  const late = new AbortController();
  const waited = duration === null ? [] : [sleep(duration, null, { signal: late.signal })];
  const first = await Promise.race([started, signal, ...waited]);
  late.abort();
  if (first === null) throw new FcgiInspectError('io', 'no capture began within the time of --duration');
  return first;
}

/** Where a capture comes through standard input, the keys come from the terminal itself. */
function terminalKeys(): ReadStream {
  try {
    return new ReadStream(openSync('/dev/tty', 'r'));
  } catch (error) {
    throw new FcgiInspectError(
      'io',
      `there is no terminal to take keys from: ${(error as Error).message}`,
      'use --format lines here',
    );
  }
}

class Run {
  private readonly inspection: Inspection;
  private readonly messages: string[] = [];
  private readonly interactive: boolean;
  private progress: Progress | null = null;
  private onScreen = false;
  private warnings = 0;
  private signal: NodeJS.Signals | null = null;
  private stopping: Promise<void> | null = null;
  private readonly ended = new AbortController();

  constructor(
    private readonly settings: Settings,
    private readonly streams: Streams,
    private readonly files: Files,
    private readonly recording: Recording,
    private readonly signals: Signals,
  ) {
    this.inspection = recording.inspection;
    this.interactive = settings.format === 'tui';
  }

  /** @param quiesce ends our own traffic (the demo's) before the proxy is stopped */
  async toTheEnd(quiesce: () => Promise<void>): Promise<number> {
    const stop = (grace: number): Promise<void> => {
      if (this.stopping === null) {
        this.stopping = quiesce().then(() => this.inspection.stop(grace));
        // Whoever waits for it hears of its failure; not everybody who asks for it waits.
        this.stopping.catch(() => {});
      }
      return this.stopping;
    };
    let giveUp = (_status: number): void => {};
    const givenUp = new Promise<number>((resolve) => {
      giveUp = resolve;
    });
    const onSignal = (signal: NodeJS.Signals): void => {
      restoreTerminal();
      if (this.signal !== null || this.stopping !== null) {
        this.signal ??= signal;
        // The second one, or one during a stop that something else began: what is open is cut, what is written is kept.
        this.inspection.stop(0).catch(() => {});
        setTimeout(() => giveUp(128 + constants.signals[signal]), LAST_READ).unref();
        return;
      }
      this.signal = signal;
      this.announceStop().catch(() => {});
      void stop(GRACE);
    };
    this.signals.handle(onSignal);
    void this.recording.died.then(() => {
      if (this.ended.signal.aborted) return;
      this.ended.abort();
      restoreTerminal();
    });
    const limit =
      this.settings.duration ?? (this.settings.command === 'demo' && !this.interactive ? DEMO_DURATION : null);
    const timer = limit === null ? undefined : setTimeout(() => void stop(GRACE), limit);
    const patrol = setInterval(() => this.lookForWarnings().catch(() => {}), WARNING_INTERVAL);
    try {
      return await Promise.race([this.inspect(stop), givenUp]);
    } catch (error) {
      // What fails because the relay's thread has died is told by what that died of.
      throw await Promise.race([this.recording.died, sleep(EXPLANATION, error)]);
    } finally {
      this.ended.abort();
      clearTimeout(timer);
      clearInterval(patrol);
      this.flushMessages();
    }
  }

  private async inspect(stop: (grace: number) => Promise<void>): Promise<number> {
    this.greet();
    this.progress = this.showsProgress() ? new Progress(this.inspection, this.streams.stderr) : null;
    const pumping = this.pump(stop).finally(() => this.progress?.stop());
    let defect: unknown = null;
    if (this.interactive) {
      this.onScreen = true;
      await this.tui().catch((error: unknown) => {
        defect = error;
      });
      this.onScreen = false;
      this.flushMessages();
      if (this.signal === null) this.announceStop().catch(() => {});
      void stop(GRACE);
    }
    const result = await pumping;
    await stop(0);
    await this.lookForWarnings();
    const overview = await this.inspection.overview();
    this.ended.abort();
    await this.inspection.close();
    if (defect !== null) throw defect;
    return this.conclude(result, overview);
  }

  private greet(): void {
    for (const text of this.settings.warnings) this.say(`warning: ${text}`);
    if (this.interactive || this.settings.command === 'capture') return;
    this.settings.command === 'demo'
      ? this.say('demo: a built-in web server side asks a built-in FastCGI application, through the real proxy')
      : this.recording.endpoints.forEach((endpoint, index) => {
          this.say(
            `listening on ${formatEndpoint(endpoint)}, passing on to ${formatEndpoint(this.settings.routes[index]!.upstream)}`,
          );
        });
    if (this.settings.format === 'report') this.say('the report is written at the end (Ctrl-C)');
  }

  /** Only on a terminal, and not between the lines of results. */
  private showsProgress(): boolean {
    if (this.settings.command !== 'capture' || this.interactive || this.settings.quiet) return false;
    const printsLines = this.settings.format !== null && this.settings.format !== 'report';
    return process.stderr.isTTY === true && (process.stdout.isTTY !== true || !printsLines);
  }

  private async pump(stop: (grace: number) => Promise<void>): Promise<PumpResult> {
    const outputs = this.outputs();
    const { filter, count } = this.settings;
    const { advance } = this.recording;
    const result = await pump(this.inspection, outputs, {
      filter,
      signal: this.ended.signal,
      ...(count === null ? {} : { count }),
      ...(advance === null ? {} : { advance }),
    });
    if (
      advance === null &&
      result.failures.length > 0 &&
      result.failures.length === outputs.length &&
      !this.interactive &&
      this.stopping === null
    ) {
      // Nobody reads any more. The site behind us goes on all the same: only a signal or a limit ends a proxy that is in a live path.
      this.say(`nothing more can be written (${result.failures[0]!.error.message}); relaying goes on`);
      await pump(this.inspection, [], { filter, signal: this.ended.signal, ...(count === null ? {} : { count }) });
    }
    // Enough was seen: the requests that are open may still finish.
    await stop(GRACE);
    return result;
  }

  private outputs(): Output[] {
    const { settings, streams, files } = this;
    const common = {
      redact: settings.redact,
      bodies: settings.bodies,
      inspection: this.inspection,
      version: streams.version,
    };
    const toStdout: WriteChunk = (chunk) => {
      // A report comes when all has been read.
      if (settings.format === 'report') this.progress?.stop();
      return streams.stdout.write(chunk);
    };
    const outputs: Output[] = [];
    if (settings.format === 'lines' || settings.format === 'detail' || settings.format === 'report')
      outputs.push(
        PRINTERS[settings.format]({
          ...common,
          write: toStdout,
          color: settings.color,
          header: process.stdout.isTTY === true,
          // Asked for each line: a terminal may be resized.
          get width() {
            return process.stdout.isTTY === true ? process.stdout.columns || null : null;
          },
        }),
      );
    if (settings.format === 'ndjson') outputs.push(EXPORTERS.ndjson({ ...common, write: toStdout }));
    if (files.ndjson !== null) outputs.push(EXPORTERS.ndjson({ ...common, write: files.ndjson() }));
    if (files.har !== null) outputs.push(EXPORTERS.har({ ...common, write: files.har() }));
    return outputs;
  }

  private async tui(): Promise<void> {
    const { restore, startTui } = await loadScreen();
    // What ends everything may have come while that was loaded.
    if (this.signal !== null || this.ended.signal.aborted) return;
    terminalTaken(restore);
    await startTui({
      inspection: this.inspection,
      output: new Terminal(this.streams.stdout, process.stdout),
      input: this.settings.files.includes('-') ? terminalKeys() : process.stdin,
      options: {
        filter: this.settings.filter,
        // What grows is followed, what is there is read from its beginning.
        follow: this.settings.command !== 'capture' || this.settings.files.includes('-'),
        colours: this.settings.color,
      },
    });
  }

  private async announceStop(): Promise<void> {
    await sleep(NOT_WORTH_A_WORD);
    const { exchanges, progress } = await this.inspection.overview();
    if (exchanges.open === 0 || progress !== null) return;
    const open = exchanges.open === 1 ? '1 open request' : `${exchanges.open} open requests`;
    this.say(`stopping: ${open} may finish for ${GRACE / 1_000} s; a second signal ends at once`);
  }

  private async lookForWarnings(): Promise<void> {
    if (this.interactive || this.ended.signal.aborted) return;
    const { warnings, warningCount } = await this.inspection.overview();
    const fresh = warningCount - this.warnings;
    // Only the newest are kept: of a flood the rest is gone, and the flood itself is the news.
    if (fresh > warnings.length) this.say(`warning: ${fresh - warnings.length} warnings before these`);
    for (const text of warnings.slice(Math.max(0, warnings.length - fresh))) this.say(`warning: ${text}`);
    this.warnings = warningCount;
  }

  private conclude(result: PumpResult, overview: Overview): number {
    if (!this.settings.quiet && this.settings.format !== 'ndjson')
      this.streams.stderr.offer(summaryText(result.summary));
    for (const { error } of result.failures)
      this.streams.stderr.offer(`fcgi-inspect: not everything was written: ${error.message}\n`);
    if (this.signal !== null) return 128 + constants.signals[this.signal];
    if (result.failures.length > 0) return 1;
    const { error, warning } = overview.findings;
    const { failOn } = this.settings;
    const met = failOn !== 'never' && (error > 0 || (failOn === 'warning' && warning > 0));
    return met ? 3 : 0;
  }

  /** To standard error; kept back while the screen is ours. */
  private say(text: string): void {
    if (this.settings.quiet) return;
    this.messages.push(`fcgi-inspect: ${visibleText(text)}\n`);
    if (!this.onScreen) this.flushMessages();
  }

  private flushMessages(): void {
    if (this.messages.length > 0) this.progress?.clear();
    for (const text of this.messages.splice(0)) this.streams.stderr.offer(text);
  }
}
