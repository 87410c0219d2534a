/** A peer that sends, expects, closes its direction and waits for an end, in a given order. */
import type { Socket } from 'node:net';

const send = { send: 'greeting' };
const expect = { expect: 'command' };

/** The orders of OpenBSD's regress/usr.bin/nc, each in both roles: plain, -eof, -reverse-eof, -shutdown-eof, -shutdown-reverse-eof. */
export const HALF_CLOSE_ORDERS: Record<string, readonly Step[]> = {
  plain: [send, expect],
  eof: [send, expect, 'eof'],
  'reverse-eof': [expect, send, 'eof'],
  'shutdown-eof': [send, expect, 'shutdown', 'eof'],
  'shutdown-reverse-eof': [expect, 'eof', send, 'shutdown'],
};

export type Step = { send: string } | { expect: string } | 'shutdown' | 'eof';

/** Follows the steps on a socket, in order, as `server-tcp.c` and `client-tcp.c` there do, then closes it. */
export async function follow(socket: Socket, steps: readonly Step[]): Promise<void> {
  let received = '';
  let ended = false;
  let wake = () => {};
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    received += text;
    wake();
  });
  socket.on('end', () => {
    ended = true;
    wake();
  });
  const until = async (ready: () => boolean) => {
    while (!ready()) {
      if (socket.destroyed) throw new Error('the connection went away in the script');
      await new Promise<void>((resolve) => {
        wake = resolve;
        socket.once('close', resolve);
      });
    }
  };
  for (const step of steps) {
    if (step === 'shutdown') socket.end();
    else if (step === 'eof') await until(() => ended);
    else if ('send' in step) socket.write(step.send);
    else await until(() => received.includes(step.expect));
  }
  socket.end(() => socket.destroy());
}
