// What fcgi-inspect is compared with: the relay that anybody would write, two sockets and nothing else.
import net from 'node:net';

const [listen, upstream] = process.argv.slice(2).map(Number);
net
  .createServer({ allowHalfOpen: true }, (client) => {
    const server = net.connect({ port: upstream, host: '127.0.0.1', allowHalfOpen: true });
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
    client.pipe(server);
    server.pipe(client);
  })
  .listen({ port: listen, host: '127.0.0.1', backlog: 4096 });
