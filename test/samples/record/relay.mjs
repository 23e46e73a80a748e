// Run by mod_fcgid in place of the application, with a listening Unix socket on fd 0. Plain JavaScript: the server's user runs it.
import { connect, createServer } from 'node:net';

const port = Number(process.argv[2]);
createServer({ allowHalfOpen: true }, (incoming) => {
  const outgoing = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  incoming.pipe(outgoing).pipe(incoming);
  incoming.on('error', () => outgoing.destroy());
  outgoing.on('error', () => incoming.destroy());
}).listen({ fd: 0 });
