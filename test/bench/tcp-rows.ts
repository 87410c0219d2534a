/** One big file over a TCP connection, from a file to a file. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { XFER } from '../support/run-xfer.js';
import { differences } from '../support/trees.js';
import type { Ground } from './ground.js';
import type { Child, Contestant, Meter, Row } from './measure.js';

interface Pair {
  readonly label: string;
  /** Starts the receiver; resolves with its port when it accepts. */
  receive(meter: Meter, out: string): Promise<{ receiver: Child; port: string }>;
  send(meter: Meter, port: string): Promise<void>;
}

function xferPair(ground: Ground): Pair {
  return {
    label: 'xfer send, xfer recv',
    async receive(meter, out) {
      const receiver = meter.start(process.execPath, [XFER, 'recv', '-l', '127.0.0.1:0', out]);
      const [, port] = await receiver.printed(/listening on \S*:(\d+)/i);
      return { receiver, port: port as string };
    },
    send: (meter, port) => meter.run(process.execPath, [XFER, 'send', '-q', `127.0.0.1:${port}`, ground.big.path]),
  };
}

function netcatPair(ground: Ground, program: string): Pair {
  return {
    label: 'nc, nc',
    async receive(meter, out) {
      const receiver = meter.start(program, ['-v', '-l', '127.0.0.1', '0'], { outputFile: out });
      const [, port] = await receiver.printed(/listening on \S+ (\d+)/i);
      return { receiver, port: port as string };
    },
    send: (meter, port) => meter.run(program, ['-N', '127.0.0.1', port], { inputFile: ground.big.path }),
  };
}

function socatPair(ground: Ground, program: string): Pair {
  const common = ['-u', '-b', '1048576'];
  return {
    label: 'socat -b 1048576, both ends',
    async receive(meter, out) {
      const listen = ['-d', '-d', ...common, 'TCP-LISTEN:0,bind=127.0.0.1', `CREATE:${out}`];
      const receiver = meter.start(program, listen);
      const [, port] = await receiver.printed(/listening on .*:(\d+)/i);
      return { receiver, port: port as string };
    },
    send: (meter, port) => meter.run(program, [...common, `OPEN:${ground.big.path},rdonly`, `TCP:127.0.0.1:${port}`]),
  };
}

function contestantOf(ground: Ground, pair: Pair): Contestant {
  const out = join(ground.folder, 'tcp-out');
  let ready: { receiver: Child; port: string } | undefined;
  return {
    label: pair.label,
    async prepare(meter) {
      rmSync(out, { force: true });
      ready = await pair.receive(meter, out);
    },
    async run(meter) {
      if (!ready) throw new Error(`${pair.label}: the receiver was not started`);
      try {
        await pair.send(meter, ready.port);
        await ready.receiver.done;
      } finally {
        ready.receiver.process.kill();
      }
    },
    check: () => ground.mustBeSame(pair.label, differences(ground.big.path, out)),
  };
}

export function tcpRows(ground: Ground): Row[] {
  const netcat = ground.peer('nc.openbsd');
  const socat = ground.peer('socat');
  const pairs = [xferPair(ground)];
  if (netcat) pairs.push(netcatPair(ground, netcat));
  if (socat) pairs.push(socatPair(ground, socat));
  const contestants = pairs.map((pair) => contestantOf(ground, pair));
  const { title, bytes } = ground.big;
  return [
    { title: `tcp: ${title} (both ends counted)`, bytes, files: 1, line: undefined, note: undefined, contestants },
  ];
}
