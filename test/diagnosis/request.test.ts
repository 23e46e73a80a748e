import { describe, expect, it } from 'vitest';
import { STDOUT } from '../support/exchange-fixture.js';
import { connectionEnd, diagnosed, type Situation } from '../support/surroundings-fixture.js';
import { givenUp } from './cases/dying.js';
import { CASES } from './cases/request.js';
import { post, uploading } from './cases/waiting.js';

const ids = (situation: Situation): string[] => diagnosed(situation).map(({ id }) => id);

describe('rules on what the web server sends', () => {
  it.each(CASES)('%s is the one finding', (id, trigger, nearMiss) => {
    expect(ids(trigger)).toEqual([id]);
    expect(ids(nearMiss)).not.toContain(id);
  });

  it('say nothing of a length that web servers send with a GET', () => {
    for (const CONTENT_LENGTH of [null, '', '0']) expect(ids({ params: { CONTENT_LENGTH } })).toEqual([]);
  });

  it('say nothing of a body that was not seen whole', () => {
    expect(ids({ params: post('9'), stdin: 'a=1', gaps: { stdin: [[1, 2]] } })).toEqual([]);
    expect(ids({ params: post(null), stdin: 'a=1', gaps: { stdin: [[1, 2]] } })).toEqual([]);
  });

  it('do not take what follows an upgrade for a body', () => {
    expect(ids({ params: { CONTENT_LENGTH: '0', HTTP_UPGRADE: 'websocket' }, stdin: 'frames' })).toEqual([]);
  });

  it('do not take an answer for one that came when the web server had gone', () => {
    const late = (id: string, params: Situation['params']): void => {
      const situation = givenUp(2_000, {
        params: { ...params, SERVER_SOFTWARE: 'nginx/1.22.1' },
        stdin: 'a=1',
        stdout: STDOUT,
        timing: { firstStdout: 2_100, lastStdout: 2_100, lastRecord: 0.2, end: 2_101 },
        override: { connectionEnd: connectionEnd('web-server', 'fin', 2_000), protocolStatus: 'request-complete' },
      });
      expect(diagnosed(situation)).toMatchObject([{ id, severity: 'error' }]);
    };
    late('stdin-short', post('9'));
    late('content-length-missing', post('-1'));
  });

  it('leave room for what went wrong besides, where there was an answer', () => {
    const fatal = 'PHP message: PHP Fatal error:  Uncaught ValueError: no upload in /srv/a.php:3';
    expect(ids({ params: post(null), stdin: 'a=1', stderr: fatal })).toEqual(['php-fatal', 'content-length-missing']);
  });

  it('warn of PARAMS that nearly fill their record, and of no others', () => {
    const streams = (bytes: number) => ({
      ...uploading(0, true),
      params: { bytes, records: 2, ended: true, missing: 0 },
    });
    const page = { bytes: 90, records: 1, ended: false, missing: 0 };
    const with_ = (bytes: number): Situation => ({ override: { streams: { ...streams(bytes), stdout: page } } });
    expect(diagnosed(with_(60_000))).toMatchObject([{ id: 'params-too-large', severity: 'note' }]);
    expect(ids(with_(50_000))).toEqual([]);
  });

  it('tell twins from names that only look alike, in any number', () => {
    const named = (count: number, twin: number): Situation => ({
      allParams: Array.from({ length: count }, (_, i) => ({
        name: `HTTP_X_${i === twin ? 0 : i}`,
        value: `${i}`,
      })).concat([{ name: 'REQUEST_METHOD', value: 'GET' }]),
    });
    for (const count of [2, 30, 300]) {
      expect(ids(named(count, -1))).toEqual([]);
      expect(ids(named(count, count - 1))).toEqual(['params-duplicate']);
    }
  });

  it('find twins in a request that has the same names as the one before it', () => {
    const colours = (...values: readonly string[]): Situation => ({
      allParams: [
        { name: 'REQUEST_METHOD', value: 'GET' },
        ...values.map((value) => ({ name: 'HTTP_X_COLOUR', value })),
        { name: 'HTTP_X_SIZE', value: '1' },
      ],
    });
    expect(ids(colours('red', 'red'))).toEqual([]);
    expect(ids(colours('red', 'blue'))).toEqual(['params-duplicate']);
    expect(ids(colours('red'))).toEqual([]);
    expect(ids(colours('red', 'red', 'blue'))).toEqual(['params-duplicate']);
  });

  it('know a body that was broken off from one that was announced too long', () => {
    const streams = uploading(3);
    const broken = { connectionEnd: connectionEnd('web-server', 'fin', 900), streams };
    const timing = { stdinEnd: null, lastRecord: 800, end: 900 };
    expect(ids({ outcome: 'web-server-closed', stdout: '', params: post('9'), timing, override: broken })).toEqual([
      'client-abort',
    ]);
  });
});
