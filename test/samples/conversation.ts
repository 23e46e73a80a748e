/** What was said on one connection: of each request id and side the record types, in their order. Management records have the id 0. */
export type Conversation = ReadonlyMap<string, readonly number[]>;

export class ConversationNotes {
  private readonly notes = new Map<string, number[]>();

  add(id: number, side: 'client' | 'server', type: number): void {
    const key = `${side} ${id}`;
    const types = this.notes.get(key) ?? [];
    types.push(type);
    this.notes.set(key, types);
  }

  conversation(): Conversation {
    return new Map([...this.notes].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** Connections on which no record was seen say nothing, whoever counts them. */
export function withRecords(conversations: readonly Conversation[]): Conversation[] {
  return conversations.filter(({ size }) => size > 0);
}
