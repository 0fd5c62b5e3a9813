import { connect, createServer } from 'node:net';
import { writeAtomic } from '#lib/base/files.ts';

/*
 * forwarder.ts <host> <port> <file>
 * Forwards a port of loopback to an address, and writes down which port it is once it listens.
 */
const [host = '', port = '', file = ''] = process.argv.slice(2);

const server = createServer({ allowHalfOpen: true }, (near) => {
  const far = connect({ host, port: Number(port), allowHalfOpen: true });
  near.pipe(far).pipe(near);
  // either end may break off, and then the other has nobody to talk to
  near.on('error', () => far.destroy()).on('close', () => far.destroy());
  far.on('error', () => near.destroy()).on('close', () => near.destroy());
});
server.listen(0, '127.0.0.1', () => {
  const own = server.address();
  void writeAtomic(file, String(typeof own === 'object' ? own?.port : ''));
});
