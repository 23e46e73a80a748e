import type { ConnectFailure, EndedBy, EndKind, Side } from '../../model/connection.js';
import type { Exchange, Outcome } from '../../model/exchange.js';
import type { Timestamp } from '../../model/time.js';

/**
 * What became of a request, decided from three things: END_REQUEST, who ended the connection first and how, and whether the web server
 * took the answer. Whoever was first decides, because the other side's end is mostly its consequence: a backend resets when the web
 * server has gone, and the other way round.
 *
 * A web server's FIN says little by itself: it may have gone, or only have nothing more to say. If it has gone, the answer meets a
 * reset; so a request that was under way at its FIN is decided when that reset is there, or when nothing more can come.
 */
export interface ConnectionState {
  /** How each side stopped sending; null while it has not. */
  clientEnd: EndKind | null;
  serverEnd: EndKind | null;
  /** The web server said reset, be it at once or after its FIN. */
  clientReset: boolean;
  /** The first end of the two. */
  first: { readonly side: Side; readonly how: EndKind; readonly at: Timestamp } | null;
  failure: ConnectFailure | null;
  /** Nothing more will be said of the connection. */
  closed: boolean;
}

export interface RequestState {
  readonly exchange: Pick<Exchange, 'abortSeen' | 'protocolStatus'>;
  readonly endSeen: boolean;
  /** The backend's records of this request may have been in bytes that could not be read. */
  readonly endMayBeLost: boolean;
  /** The backend sent something for it after the web server's FIN. */
  readonly answeredLate: boolean;
}

/** The outcome, or null when it is not known yet. */
export function decideOutcome(request: RequestState, connection: ConnectionState): Outcome | null {
  return request.endSeen ? ended(request, connection) : cutOff(request, connection);
}

export function endedByWord(side: Side, how: EndKind): EndedBy {
  if (how === 'timeout' || how === 'capture-end') return how;
  return side === 'client' ? 'web-server' : 'backend';
}

/** With END_REQUEST. */
function ended({ exchange }: RequestState, connection: ConnectionState): Outcome | null {
  if (exchange.abortSeen) return 'aborted';
  if (connection.clientEnd === 'reset') return 'web-server-reset';
  if (connection.clientEnd === 'fin') {
    if (connection.clientReset) return 'web-server-closed';
    if (!connection.closed) return null;
  }
  return exchange.protocolStatus === 'request-complete' ? 'completed' : 'rejected';
}

/** Without END_REQUEST: for as long as one side may go on sending, the request is still told of. */
function cutOff(request: RequestState, connection: ConnectionState): Outcome | null {
  const { clientEnd, serverEnd, clientReset, first, failure, closed } = connection;
  // Only the source's last word tells that no reset follows the web server's FIN, and that the upstream was not there to begin with.
  const needsLastWord = failure !== null || (clientEnd === 'fin' && !clientReset && first?.side === 'client');
  if (!closed && (needsLastWord || clientEnd === null || serverEnd === null)) return null;
  if (failure !== null) return 'not-connected';
  if (request.exchange.abortSeen) return 'aborted';
  if (request.endMayBeLost) return 'undecodable';
  if (first === null) return 'unfinished';
  if (first.side === 'server') return backendOutcome(first.how);
  if (first.how === 'reset') return 'web-server-reset';
  if (first.how !== 'fin') return 'unfinished';
  if (clientReset || serverEnd === null) return 'web-server-closed';
  if (serverEnd === 'timeout' || serverEnd === 'capture-end') return 'unfinished';
  // A web server that takes bytes after its FIN has only half-closed: then the backend is the one that stopped in the middle.
  return request.answeredLate ? backendOutcome(serverEnd) : 'web-server-closed';
}

function backendOutcome(how: EndKind): Outcome {
  return how === 'fin' ? 'backend-closed' : how === 'reset' ? 'backend-reset' : 'unfinished';
}
