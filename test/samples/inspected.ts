import { openCapture } from '../../src/cli/capture-session.js';
import type { ConnectionSummary } from '../../src/model/connection.js';
import type { Exchange } from '../../src/model/exchange.js';
import type { Inspection } from '../../src/model/inspection.js';
import { type Conversation, ConversationNotes } from './conversation.js';

/** What the program makes of captures, asked through the same interface as its printers and its screen. */
export interface Inspected {
  readonly exchanges: readonly Exchange[];
  readonly connections: readonly ConnectionSummary[];
  /** Of each connection, in the order of their first packets. */
  readonly conversations: readonly Conversation[];
}

const PAGE = 1_000;

export async function inspected(files: readonly string[], ports: readonly number[] | null = null): Promise<Inspected> {
  // As for the screen: nothing is forgotten once it has been read.
  const session = await openCapture({ kind: 'capture', files, ports, logs: [], maxRequests: null, maxSpool: null });
  try {
    while (await session.advance());
    return await gathered(session);
  } finally {
    await session.close();
  }
}

async function gathered(inspection: Inspection): Promise<Inspected> {
  const { exchanges, connections } = await inspection.overview();
  const notes = Array.from({ length: connections.total }, () => new ConversationNotes());
  const all: Exchange[] = [];
  for (let n = 1; n <= exchanges.total; n += 1) {
    const exchange = await inspection.exchange(n);
    if (!exchange) throw new Error(`request ${n} is gone`);
    all.push(exchange);
    for (let from = 0; from < exchange.records.total; from += PAGE) {
      const { records } = await inspection.records(n, from, PAGE);
      for (const { requestId, side, typeCode } of records)
        notes[exchange.connection - 1]!.add(requestId, side, typeCode);
    }
  }
  const ended: ConnectionSummary[] = [];
  for (let id = 1; id <= connections.total; id += 1) {
    const connection = await inspection.connection(id);
    if (connection) ended.push(connection);
  }
  return { exchanges: all, connections: ended, conversations: notes.map((each) => each.conversation()) };
}
