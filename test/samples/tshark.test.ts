import { describe, expect, it } from 'vitest';
import { RecordType } from '../../src/protocol/fastcgi/constants.js';
import { requireServers } from '../support/real/requirements.js';
import type { Conversation } from './conversation.js';
import { withRecords } from './conversation.js';
import { SAMPLES } from './derive/derivation.js';
import { inspected } from './inspected.js';
import { readManifest } from './listing.js';
import { tsharkRecords } from './tshark-records.js';

/**
 * Every sample's record types and ids, as tshark sees them and as we do. Where tshark is wrong or sees nothing, TRUTH says what is right,
 * made from what tshark says of the undamaged capture, and why.
 */

const { BEGIN_REQUEST, PARAMS, STDIN, STDOUT, END_REQUEST } = RecordType;

interface Truth {
  readonly why: string;
  readonly conversations: () => Conversation[];
}

const of = (file: string): Conversation[] => withRecords(tsharkRecords(SAMPLES + file, [9000]));

const TRUTH: Readonly<Record<string, Truth>> = {
  'lost-body.pcap': {
    why: 'tshark stops dissecting a direction at the first lost segment; only contents are lost here, and no record header',
    conversations: () => of('short.pcap'),
  },
  'lost-header.pcap': {
    why: 'tshark stops dissecting a direction at the first lost segment; of each side one record header is lost, and the records after it can be found',
    conversations: () => {
      const [get, form, page] = of('short.pcap') as [Conversation, Conversation, Conversation];
      return [
        get,
        changed(form, { 'client 1': [BEGIN_REQUEST, PARAMS, PARAMS, STDIN, STDIN] }),
        changed(page, { 'server 1': [STDOUT, STDOUT, END_REQUEST] }),
      ];
    },
  },
  'absurd-length.pcap': {
    why: 'tshark gives up at the impossible length; the packets after that one can be found',
    conversations: () => {
      const [get, form, page] = of('short.pcap') as [Conversation, Conversation, Conversation];
      // The impossible packet is the whole answer to the form.
      return [get, without(form, 'server 1'), page];
    },
  },
  'mid-record.pcap': {
    why: 'tshark takes the first captured bytes for a record header, waits for a record that is none, and swallows all others',
    conversations: () => [new Map([['server 1', [STDOUT, STDOUT, STDOUT, STDOUT, STDOUT, END_REQUEST]]])],
  },
  'sockdump.pcap': {
    why: "tshark knows no Unix sockets; a capture of them has no connections, only processes, and here all requests are one process's",
    conversations: () => {
      const all = of('short.pcap');
      const joined = (key: string) => all.flatMap((conversation) => conversation.get(key) ?? []);
      return [
        new Map([
          ['client 1', joined('client 1')],
          ['server 1', joined('server 1')],
        ]),
      ];
    },
  },
  'tap-web-server.pcap': {
    why: 'tshark reads one file at a time, and each of these has one direction',
    conversations: () => of('short.pcap'),
  },
};

requireServers('tshark')('the records of each sample', () => {
  describe.each(readManifest())('$file', ({ file, and = [], ports }) => {
    const truth = TRUTH[file];
    it(truth ? `are not tshark's: ${truth.why}` : "are tshark's", async () => {
      const { conversations, connections } = await inspected([file, ...and].map((name) => SAMPLES + name));
      const expected = truth ? truth.conversations() : withRecords(tsharkRecords(SAMPLES + file, ports));
      expect(withRecords(conversations)).toEqual(expected.map(withoutManagement));
      expect(connections.map(({ managementRecords }) => managementRecords).filter((count) => count > 0)).toEqual(
        expected.map(managementRecords).filter((count) => count > 0),
      );
    });
  });

  it.each(['tap-web-server.pcap', 'tap-backend.pcap'])(
    "are tshark's in %s alone, of which the other direction is missing",
    async (file) => {
      const { conversations } = await inspected([SAMPLES + file]);
      expect(withRecords(conversations)).toEqual(of(file));
    },
  );

  it('include a name-value pair that is split across two PARAMS records, which tshark calls malformed', async () => {
    const file = 'cgi-fcgi-split-params.pcap';
    const { exchanges } = await inspected([SAMPLES + file]);
    const queries = exchanges.map(({ params }) => params.find(({ name }) => name === 'QUERY_STRING')?.value);
    const sent = `list=${'1234567,'.repeat(1_500)}`;
    expect(queries).toEqual([sent, sent]);
    expect(exchanges.map(({ params }) => params.length)).toEqual([11, 11]);
  });
});

function changed(conversation: Conversation, sides: Readonly<Record<string, readonly number[]>>): Conversation {
  return new Map([...conversation].map(([key, types]) => [key, sides[key] ?? types]));
}

function without(conversation: Conversation, side: string): Conversation {
  return new Map([...conversation].filter(([key]) => key !== side));
}

/** Management records belong to the connection and are in no request's timeline. */
function withoutManagement(conversation: Conversation): Conversation {
  return new Map([...conversation].filter(([key]) => !key.endsWith(' 0')));
}

function managementRecords(conversation: Conversation): number {
  return (conversation.get('client 0')?.length ?? 0) + (conversation.get('server 0')?.length ?? 0);
}
