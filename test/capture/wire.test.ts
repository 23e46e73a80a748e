import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { ShutdownRequest, StreamHandle, WriteRequest } from '../../src/capture/stream-handle.js';
import { Wire, type WireOwner } from '../../src/capture/wire.js';

/** Whether writes are taken at once or stay under way. */
const kernel = vi.hoisted(() => ({ full: false }));
vi.mock('../../src/capture/stream-handle.js', async (original) => ({
  ...(await original<object>()),
  lastWritePending: () => kernel.full,
}));
beforeEach(() => {
  kernel.full = false;
});

/** A handle that does nothing by itself and refuses what libuv refuses: a reset while its shutdown is under way. */
class FakeHandle implements StreamHandle {
  readonly calls: string[] = [];
  onread: StreamHandle['onread'] = () => {};
  private readonly writes: WriteRequest[] = [];
  private shutting: ShutdownRequest | null = null;

  readStart = (): number => 0;
  readStop = (): number => 0;
  writeBuffer(request: WriteRequest): number {
    if (kernel.full) this.writes.push(request);
    return 0;
  }
  finishWrite(status: number): void {
    this.writes.shift()!.oncomplete(status);
  }
  shutdown(request: ShutdownRequest): number {
    this.calls.push('shutdown');
    this.shutting = request;
    return 0;
  }
  close(): void {
    this.calls.push('close');
  }
  reset(): number {
    if (this.shutting) return -22;
    this.calls.push('reset');
    return 0;
  }
  finishShutdown(status: number): void {
    const request = this.shutting;
    this.shutting = null;
    request?.oncomplete(status);
  }
}

const owner: WireOwner = { onBytes() {}, onEnd() {}, onBroken() {}, onDrained() {} };

describe('Wire', () => {
  it.each([0, -107])('resets after a shutdown under way, however that ends (%i)', (status) => {
    const handle = new FakeHandle();
    const wire = new Wire(handle, owner);
    wire.shutdown();
    wire.reset();
    expect(handle.calls).toEqual(['shutdown']);
    handle.finishShutdown(status);
    expect(handle.calls).toEqual(['shutdown', 'reset']);
  });

  it('resets at once otherwise, and only once', () => {
    const handle = new FakeHandle();
    const wire = new Wire(handle, owner);
    wire.reset();
    wire.reset();
    wire.close();
    expect(handle.calls).toEqual(['reset']);
  });

  it('asks for its FIN when all is out, so that it can be reset until then', () => {
    kernel.full = true;
    const said: string[] = [];
    const handle = new FakeHandle();
    const wire = new Wire(handle, { ...owner, onDrained: () => said.push('drained') });
    expect(wire.write(new Uint8Array(1))).toBe(false);
    expect(wire.write(new Uint8Array(1))).toBe(false);
    wire.shutdown();
    handle.finishWrite(0);
    expect(handle.calls).toEqual([]);
    handle.finishWrite(0);
    expect(handle.calls).toEqual(['shutdown']);
    expect({ said, finished: wire.finished }).toEqual({ said: ['drained'], finished: false });
    handle.finishShutdown(0);
    expect({ said, finished: wire.finished }).toEqual({ said: ['drained', 'drained'], finished: true });
  });

  it('is reset at once while a peer that does not read holds the FIN back', () => {
    kernel.full = true;
    const handle = new FakeHandle();
    const wire = new Wire(handle, owner);
    wire.write(new Uint8Array(1));
    wire.shutdown();
    wire.reset();
    expect(handle.calls).toEqual(['reset']);
    handle.finishWrite(-125);
    expect(handle.calls).toEqual(['reset']);
  });

  it('tells of the first failure only, and sends no FIN after it', () => {
    kernel.full = true;
    const said: string[] = [];
    const handle = new FakeHandle();
    const wire = new Wire(handle, {
      ...owner,
      onDrained: () => said.push('drained'),
      onBroken: (_, status) => said.push(`broken ${status}`),
    });
    wire.write(new Uint8Array(1));
    wire.write(new Uint8Array(1));
    wire.shutdown();
    handle.finishWrite(-32);
    handle.finishWrite(-125);
    wire.reset();
    expect({ said, calls: handle.calls }).toEqual({ said: ['broken -32'], calls: ['reset'] });
  });

  it('closes where there is no reset', () => {
    const handle = new FakeHandle();
    (handle as StreamHandle).reset = undefined as never;
    const wire = new Wire(handle, owner);
    expect(wire.canReset).toBe(false);
    wire.reset();
    expect(handle.calls).toEqual(['close']);
  });
});
