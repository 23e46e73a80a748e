import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { formatEndpoint } from '../../../src/model/connection.js';
import type { NdjsonConnection, NdjsonLine, NdjsonRequest, NdjsonSummary } from '../real/ndjson.js';
import type { Lane, Played } from './lane.js';

const SCHEMA = new URL('../../../docs/ndjson.schema.json', import.meta.url);

/** The program's NDJSON: each line is checked as it comes, and in the end all of them against what was played. */
export class ToldLines {
  requests = 0;
  private summary: NdjsonSummary | null = null;
  private readonly connections: NdjsonConnection[] = [];
  /** Of the connections with one completed request. */
  private readonly completed = new Map<number, NdjsonRequest>();
  private readonly validate = new Ajv({ allowUnionTypes: true }).compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));

  constructor(private readonly fault: (text: string) => void) {}

  take(text: string): void {
    let line: NdjsonLine;
    try {
      line = JSON.parse(text) as NdjsonLine;
    } catch (error) {
      return this.fault(`a line is not JSON (${(error as Error).message}): ${text.slice(0, 300)}`);
    }
    if (!this.validate(line))
      this.fault(`${JSON.stringify(this.validate.errors?.slice(0, 3))} in ${text.slice(0, 300)}`);
    if (this.summary !== null) this.fault(`a line after the summary: ${text.slice(0, 300)}`);
    if (line.type === 'summary') this.summary = line;
    if (line.type === 'connection') this.connections.push(line);
    if (line.type !== 'request') return;
    this.requests += 1;
    if (line.outcome === 'completed') this.completed.set(line.connection, line);
  }

  compare(lanes: readonly Lane[]): void {
    if (this.summary === null) return this.fault('no summary');
    for (const lane of lanes) {
      for (const [played, line] of this.pairs(lane)) {
        const { sent, got, stdout, name } = played;
        const { bytes } = line;
        if (sent !== null && (bytes.client !== sent.client || bytes.server !== sent.server))
          this.fault(`${name}: ${JSON.stringify(bytes)} were recorded of ${JSON.stringify(sent)}`);
        // What came out at one end went in at the other.
        if (bytes.client < got.server || bytes.server < got.client)
          this.fault(`${name}: ${JSON.stringify(bytes)} were recorded, ${JSON.stringify(got)} were got`);
        if (line.notes.some((note) => note.includes('decoder'))) this.fault(`${name}: ${line.notes.join(', ')}`);
        if (stdout !== null) this.sameBody(name, this.completed.get(line.connection), stdout);
      }
    }
  }

  /** What was played, and the line of it. */
  private pairs(lane: Lane): (readonly [Played, NdjsonConnection])[] {
    const server = formatEndpoint(lane.upstream);
    const own = this.connections.filter((one) => one.server === server).sort((a, b) => a.connection - b.connection);
    const { played } = lane;
    // One was played after the other, so their numbers are in that order.
    if (own.length === played.length) return played.map((each, i) => [each, own[i]!]);
    if (this.summary!.evicted === 0)
      this.fault(`${own.length} of ${played.length} connections to ${server} are told of, and none was evicted`);
    return played.flatMap((each) => {
      const fitting = own.filter(({ client }) => client === each.client);
      return fitting.length === 1 && played.filter(({ client }) => client === each.client).length === 1
        ? [[each, fitting[0]!] as const]
        : [];
    });
  }

  private sameBody(name: string, request: NdjsonRequest | undefined, stdout: Buffer): void {
    if (request === undefined) {
      if (this.summary!.evicted === 0) this.fault(`${name}: it is not told of as completed`);
      return;
    }
    // The disk may not have kept up: then it says so.
    if ((request.stdout.missing ?? 0) > 0) return;
    if (request.stdout.sha256 !== createHash('sha256').update(stdout).digest('hex'))
      this.fault(`${name}: another STDOUT was recorded than was sent`);
  }
}
