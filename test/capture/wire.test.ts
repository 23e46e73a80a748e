import { describe, expect, it } from 'vitest';
import type { ShutdownRequest, StreamHandle, WriteRequest } from '../../src/capture/stream-handle.js';
import { Wire, type WireOwner } from '../../src/capture/wire.js';

/** A handle that does nothing by itself and refuses what libuv refuses: a reset while its shutdown is under way. */
class FakeHandle implements StreamHandle {
  readonly calls: string[] = [];
  onread: StreamHandle['onread'] = () => {};
  private shutting: ShutdownRequest | null = null;

  readStart = (): number => 0;
  readStop = (): number => 0;
  writeBuffer(_request: WriteRequest): number {
    return 0;
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

  it('closes where there is no reset', () => {
    const handle = new FakeHandle();
    (handle as StreamHandle).reset = undefined as never;
    const wire = new Wire(handle, owner);
    expect(wire.canReset).toBe(false);
    wire.reset();
    expect(handle.calls).toEqual(['close']);
  });
});
