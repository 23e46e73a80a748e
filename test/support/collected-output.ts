import type { BodyMode, OutputOptions, SessionSummary } from '../../src/model/output.js';
import type { FakeInspection } from './fake-inspection.js';

/** What an output was made with and what it wrote. */
export class CollectedOutput {
  readonly chunks: string[] = [];

  get text(): string {
    return this.chunks.join('');
  }

  options(inspection: FakeInspection, bodies: BodyMode = 'none', redact = true): OutputOptions {
    return {
      inspection,
      bodies,
      redact,
      version: '1.2.3',
      write: async (chunk) => {
        this.chunks.push(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
      },
    };
  }
}

export function sessionSummary(override: Partial<SessionSummary> = {}): SessionSummary {
  return {
    connections: 1,
    requests: 1,
    completed: 1,
    outcomes: { completed: 1 },
    findings: { error: 0, warning: 0, note: 0 },
    evicted: 0,
    startedAt: 1_789_000_000_000_000,
    seconds: 0.02,
    shown: 1,
    hidden: 0,
    skipped: 0,
    lostBytes: 0,
    ...override,
  };
}
