/** How each program at the other end is told to send and to receive over plain TCP on 127.0.0.1. */
import { HOST } from '../transports/tcp/rig.js';

type Arguments = (port: string) => string[];

export interface PeerProgram {
  readonly program: string;
  readonly send?: { readonly connect?: Arguments; readonly listen?: Arguments };
  readonly receive?: { readonly connect?: Arguments; readonly listen?: Arguments };
  /** As a client does not end before its stdin does. */
  readonly stays?: boolean;
  /** As a sender it waits for our FIN before it sends its own. */
  readonly waitsForFin?: boolean;
  /** Sends FIN, or ends, at the end of its stdin: a receiver of it with /dev/null there may lose bytes on its own. */
  readonly endsWithStdin?: boolean;
}

/** Python's sockets: argv is role, how and port. */
const DRIVER = `
import socket, sys
role, how, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
if how == 'listen':
    server = socket.create_server(('127.0.0.1', port))
    s = server.accept()[0]
else:
    s = socket.create_connection(('127.0.0.1', port))
if role == 'send':
    s.sendall(sys.stdin.buffer.read())
    s.shutdown(socket.SHUT_WR)
    while s.recv(65536): pass
else:
    while True:
        piece = s.recv(65536)
        if not piece: break
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
s.close()
`;

const python = (role: string, how: string): Arguments => {
  return (port) => ['-c', DRIVER, role, how, port];
};

export const PLAIN_PEERS: Record<string, PeerProgram> = {
  'nc.openbsd -N': {
    program: 'nc.openbsd',
    send: { connect: (port) => ['-N', HOST, port], listen: (port) => ['-N', '-l', HOST, port] },
    receive: { connect: (port) => ['-N', HOST, port], listen: (port) => ['-N', '-l', HOST, port] },
    stays: true,
  },
  'nc.openbsd': {
    program: 'nc.openbsd',
    send: { connect: (port) => [HOST, port], listen: (port) => ['-l', HOST, port] },
    receive: { connect: (port) => [HOST, port], listen: (port) => ['-l', HOST, port] },
    stays: true,
    waitsForFin: true,
  },
  'nc.openbsd -d': {
    program: 'nc.openbsd',
    receive: { connect: (port) => ['-d', HOST, port], listen: (port) => ['-d', '-l', HOST, port] },
  },
  'nc.traditional': {
    program: 'nc.traditional',
    send: { connect: (port) => [HOST, port], listen: (port) => ['-l', '-s', HOST, '-p', port] },
    receive: { connect: (port) => [HOST, port], listen: (port) => ['-l', '-s', HOST, '-p', port] },
    waitsForFin: true,
  },
  'nc.traditional -q 0': {
    program: 'nc.traditional',
    send: { connect: (port) => ['-q', '0', HOST, port], listen: (port) => ['-q', '0', '-l', '-s', HOST, '-p', port] },
  },
  // Debian's has no way to listen on one address only.
  'busybox nc': {
    program: 'busybox',
    send: { connect: (port) => ['nc', HOST, port], listen: (port) => ['nc', '-l', '-p', port] },
    receive: { connect: (port) => ['nc', HOST, port], listen: (port) => ['nc', '-l', '-p', port] },
  },
  'ncat one way': {
    program: 'ncat',
    send: { connect: (port) => ['--send-only', HOST, port], listen: (port) => ['--send-only', '-l', HOST, port] },
    receive: { connect: (port) => ['--recv-only', HOST, port], listen: (port) => ['--recv-only', '-l', HOST, port] },
  },
  ncat: {
    program: 'ncat',
    send: { connect: (port) => [HOST, port], listen: (port) => ['-l', HOST, port] },
    receive: { connect: (port) => [HOST, port], listen: (port) => ['-l', HOST, port] },
    stays: true,
  },
  'socat -u': {
    program: 'socat',
    send: {
      connect: (port) => ['-u', 'STDIN', `TCP4:${HOST}:${port}`],
      listen: (port) => ['-u', 'STDIN', `TCP4-LISTEN:${port},bind=${HOST}`],
    },
    receive: {
      connect: (port) => ['-u', `TCP4:${HOST}:${port}`, 'STDOUT'],
      listen: (port) => ['-u', `TCP4-LISTEN:${port},bind=${HOST}`, 'STDOUT'],
    },
  },
  'socat both ways': {
    program: 'socat',
    send: {
      connect: (port) => ['-', `TCP4:${HOST}:${port}`],
      listen: (port) => ['-', `TCP4-LISTEN:${port},bind=${HOST}`],
    },
    receive: {
      connect: (port) => ['-', `TCP4:${HOST}:${port}`],
      listen: (port) => ['-', `TCP4-LISTEN:${port},bind=${HOST}`],
    },
    endsWithStdin: true,
  },
  'bash /dev/tcp': {
    program: 'bash',
    send: { connect: (port) => ['-c', 'exec cat > "/dev/tcp/$0/$1"', HOST, port] },
    receive: { connect: (port) => ['-c', 'exec cat < "/dev/tcp/$0/$1"', HOST, port] },
  },
  python3: {
    program: 'python3',
    send: { connect: python('send', 'connect'), listen: python('send', 'listen') },
    receive: { connect: python('receive', 'connect'), listen: python('receive', 'listen') },
  },
};
