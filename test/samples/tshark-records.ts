import { spawnSync } from 'node:child_process';
import { commandOf } from '../support/real/requirements.js';
import { type Conversation, ConversationNotes } from './conversation.js';

const OUTPUT_LIMIT = 16 * 1024 * 1024;

/** The records of a capture file as tshark dissects them, a conversation for each of its TCP streams. */
export function tsharkRecords(file: string, ports: readonly number[]): Conversation[] {
  const { stdout } = spawnSync(
    commandOf('tshark'),
    [
      ...['-r', file, '-Y', 'fcgi', ...ports.flatMap((port) => ['-d', `tcp.port==${port},fcgi`])],
      ...['-o', 'tcp.desegment_tcp_streams:TRUE', '-o', 'tcp.reassemble_out_of_order:TRUE'],
      // All occurrences: a packet in which several records end gives them in one line, with commas between.
      ...['-T', 'fields', '-E', 'occurrence=a', '-E', 'aggregator=,'],
      ...['-e', 'frame.number', '-e', 'tcp.stream', '-e', 'tcp.srcport', '-e', 'fcgi.type', '-e', 'fcgi.id'],
    ],
    { encoding: 'utf8', maxBuffer: OUTPUT_LIMIT },
  );
  const streams = new Map<number, ConversationNotes>();
  for (const line of stdout.split('\n').filter((text) => text !== '')) {
    const [, stream = '', source = '', types = '', ids = ''] = line.split('\t');
    const notes = streams.get(Number(stream)) ?? new ConversationNotes();
    streams.set(Number(stream), notes);
    const idList = ids.split(',').map(Number);
    types.split(',').forEach((type, index) => {
      notes.add(idList[index]!, ports.includes(Number(source)) ? 'server' : 'client', Number(type));
    });
  }
  return [...streams].sort(([a], [b]) => a - b).map(([, notes]) => notes.conversation());
}
