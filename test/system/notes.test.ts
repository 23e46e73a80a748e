import { describe, expect, it, onTestFinished } from 'vitest';
import { encodeBeginRequest, encodeParams } from '../../src/protocol/fastcgi/encoder.js';
import { FastcgiClient } from '../support/fastcgi-client.js';
import { SCRIPTS, startFaultBackend } from '../support/fault-backend.js';
import { until } from '../support/real/daemon.js';
import { ProxyUnderTest } from '../support/real/proxy.js';
import { Workspace } from '../support/real/workspace.js';

describe('a reset that a Unix socket could not carry', () => {
  it('is told by the program where the end of the connection is told', async () => {
    const workspace = new Workspace();
    onTestFinished(() => workspace.close());
    const upstream = await workspace.address('unix', 'backend');
    const listen = await workspace.address('tcp', 'proxy');
    const backend = await startFaultBackend(SCRIPTS.neverAnswers(), upstream);
    onTestFinished(() => backend.stop());
    const proxy = await ProxyUnderTest.start(workspace, [{ listen, upstream }]);
    const client = await FastcgiClient.connect(listen);
    await client.send(Buffer.concat([encodeBeginRequest(1, 1), encodeParams(1, [['SCRIPT_NAME', '/x.php']])]));
    await until('the backend has the request', () => backend.connections.length === 1);
    client.reset();
    const { notes, how } = await proxy.connection('that was reset', (line) => line.endedBy === 'web-server');
    expect({ notes, how }).toEqual({
      notes: ['the reset reached the backend as a plain close: a Unix socket knows no reset'],
      how: 'reset',
    });
  });
});
