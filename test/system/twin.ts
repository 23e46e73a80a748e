import { expect } from 'vitest';
import { until } from '../support/real/daemon.js';
import { type HttpRequest, type HttpResponse, http } from '../support/real/http.js';
import type { NdjsonRequest } from '../support/real/ndjson.js';
import type { ProxyReport, ProxyUnderTest } from '../support/real/proxy.js';
import { errorKinds, type WebServer } from '../support/real/web-server.js';

export interface Exchanged {
  readonly direct: HttpResponse;
  readonly proxied: HttpResponse;
  /** What the proxy's NDJSON says of the proxied one. */
  readonly seen: NdjsonRequest;
  /** The absolute URL of the proxied request. */
  readonly url: string;
}

export type TwinRequest = Omit<HttpRequest, 'port' | 'path'>;

/** A web server with two ports: one leads straight to the backend, one through the proxy. What comes of both must be the same. */
export class Twin {
  private made = 0;

  constructor(
    readonly web: WebServer<'direct' | 'proxied'>,
    readonly proxy: ProxyUnderTest,
  ) {}

  /** How many requests went through the proxy. */
  get requests(): number {
    return this.made;
  }

  /**
   * Makes a request both ways, one after the other, and waits until the proxy has told of it. A number in the query makes its URL one
   * of a kind.
   */
  async request(path: string, request: TwinRequest | (() => TwinRequest) = {}): Promise<Exchanged> {
    const options = typeof request === 'function' ? request : () => request;
    this.made += 1;
    const unique = `${path}${path.includes('?') ? '&' : '?'}request=${this.made}`;
    const direct = await http({ ...options(), port: this.web.sites.direct.port, path: unique });
    const before = Date.now() / 1_000;
    const proxied = await http({ ...options(), port: this.web.sites.proxied.port, path: unique });
    const url = `http://127.0.0.1:${this.web.sites.proxied.port}${unique}`;
    const seen = await this.proxy.request(url, (line) => line.url === url);
    expectTimesInOrder(seen, before, Date.now() / 1_000);
    return { direct, proxied, seen, url };
  }

  /** As `request`, for requests that both ways answer in full and alike. */
  async same(path: string, request: TwinRequest | (() => TwinRequest) = {}): Promise<Exchanged> {
    const exchanged = await this.request(path, request);
    expect(exchanged.direct).toMatchObject({ complete: true, error: null });
    expect(exchanged.proxied).toMatchObject({ complete: true, error: null });
    expect(comparable(exchanged.proxied)).toEqual(comparable(exchanged.direct));
    return exchanged;
  }

  /** Both error logs say the same, in the same order. Polled: a web server may log after the client has its answer. */
  async expectSameErrors(): Promise<void> {
    const { direct, proxied } = this.web.sites;
    await expect.poll(() => errorKinds(proxied.errorLog()), { timeout: 5_000 }).toEqual(errorKinds(direct.errorLog()));
  }

  /** Ends the web server, so that kept connections end, and then the proxy. */
  async stop(): Promise<ProxyReport> {
    await this.web.stop();
    // A connection that the proxy has not seen the end of when it is stopped would be told of as ended by the stop.
    await until('all connections have ended', () => this.proxy.requestsOfEndedConnections() >= this.made);
    return this.proxy.stop();
  }
}

/** A response without what two runs cannot share. */
export function comparable(response: HttpResponse): unknown {
  const { date: _, ...headers } = response.headers;
  return {
    status: response.status,
    headers,
    sha256: response.sha256,
    bytes: response.body.length,
    complete: response.complete,
  };
}

/** Whatever is known of a request's times lies in the order of things, and within the time in which the test made it. */
function expectTimesInOrder(seen: NdjsonRequest, before: number, after: number): void {
  const { params, stdin, firstStdout, lastStdout, total } = seen.timing;
  expect(seen.at).toBeGreaterThanOrEqual(before - CLOCK_TOLERANCE_S);
  expect(seen.at).toBeLessThanOrEqual(after + CLOCK_TOLERANCE_S);
  for (const steps of [
    [0, params, stdin],
    [0, params, firstStdout, lastStdout],
    // Without END_REQUEST the total runs to the close, and what comes after that is still told of.
    [0, firstStdout, seen.protocolStatus === null ? null : lastStdout, total],
  ]) {
    const known = steps.filter((step) => step !== null);
    expect(known).toEqual([...known].sort((a, b) => a - b));
  }
  if (total !== null) expect(total).toBeLessThanOrEqual((after - before + CLOCK_TOLERANCE_S) * 1_000);
}

/** Date.now() is cut to a millisecond, and two processes may read the wall clock a little apart. */
const CLOCK_TOLERANCE_S = 0.05;
