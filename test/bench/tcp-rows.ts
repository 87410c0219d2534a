/** One big file over a TCP connection, from a file to a file, and from a pipe to a pipe. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { XFER } from '../support/run-xfer.js';
import { differences } from '../support/trees.js';
import type { Ground } from './ground.js';
import type { Child, Contestant, Meter, Row } from './measure.js';

/** One program as either end. */
interface Ends {
  readonly label: string;
  /** Starts the receiver; resolves with its port when it accepts. */
  receive(meter: Meter, out: string): Promise<{ receiver: Child; port: string }>;
  send(meter: Meter, port: string): Promise<void>;
}

function xferEnds(ground: Ground): Ends {
  return {
    label: 'xfer',
    async receive(meter, out) {
      const receiver = meter.start(process.execPath, [XFER, 'recv', '-l', '127.0.0.1:0', out]);
      const [, port] = await receiver.printed(/listening on \S*:(\d+)/i);
      return { receiver, port: port as string };
    },
    send: (meter, port) => meter.run(process.execPath, [XFER, 'send', '-q', `127.0.0.1:${port}`, ground.big.path]),
  };
}

function xferStreams(ground: Ground): Ends {
  return {
    label: 'xfer, stdin to stdout',
    async receive(meter, out) {
      const receiver = meter.start(process.execPath, [XFER, 'recv', '-l', '127.0.0.1:0', '-'], { outputFile: out });
      const [, port] = await receiver.printed(/listening on \S*:(\d+)/i);
      return { receiver, port: port as string };
    },
    send: (meter, port) =>
      meter.run(process.execPath, [XFER, 'send', '-q', `127.0.0.1:${port}`, '-'], { inputFile: ground.big.path }),
  };
}

function netcatEnds(ground: Ground, program: string): Ends {
  return {
    label: 'nc',
    async receive(meter, out) {
      const receiver = meter.start(program, ['-v', '-l', '127.0.0.1', '0'], { outputFile: out });
      const [, port] = await receiver.printed(/listening on \S+ (\d+)/i);
      return { receiver, port: port as string };
    },
    send: (meter, port) => meter.run(program, ['-N', '127.0.0.1', port], { inputFile: ground.big.path }),
  };
}

function socatEnds(ground: Ground, program: string): Ends {
  const common = ['-u', '-b', '1048576'];
  return {
    label: 'socat -b 1048576',
    async receive(meter, out) {
      const listen = ['-d', '-d', ...common, 'TCP-LISTEN:0,bind=127.0.0.1', `CREATE:${out}`];
      const receiver = meter.start(program, listen);
      const [, port] = await receiver.printed(/listening on .*:(\d+)/i);
      return { receiver, port: port as string };
    },
    send: (meter, port) => meter.run(program, [...common, `OPEN:${ground.big.path},rdonly`, `TCP:127.0.0.1:${port}`]),
  };
}

function contestantOf(ground: Ground, sender: Ends, receiver: Ends): Contestant {
  const out = join(ground.folder, 'tcp-out');
  const label = sender === receiver ? `${sender.label}, both ends` : `${sender.label} to ${receiver.label}`;
  let ready: { receiver: Child; port: string } | undefined;
  return {
    label,
    async prepare(meter) {
      rmSync(out, { force: true });
      ready = await receiver.receive(meter, out);
    },
    async run(meter) {
      if (!ready) throw new Error(`${label}: the receiver was not started`);
      try {
        await sender.send(meter, ready.port);
        await ready.receiver.done;
      } finally {
        ready.receiver.process.kill();
      }
    },
    check: () => ground.mustBeSame(label, differences(ground.big.path, out)),
  };
}

export function tcpRows(ground: Ground): Row[] {
  const netcat = ground.peer('nc.openbsd');
  const socat = ground.peer('socat');
  const xfer = xferEnds(ground);
  const streams = xferStreams(ground);
  const pairs: (readonly [Ends, Ends])[] = [
    [xfer, xfer],
    [streams, streams],
  ];
  if (netcat) {
    const nc = netcatEnds(ground, netcat);
    pairs.push([xfer, nc], [nc, xfer], [nc, nc]);
  }
  if (socat) {
    const ends = socatEnds(ground, socat);
    pairs.push([ends, ends]);
  }
  const contestants = pairs.map(([sender, receiver]) => contestantOf(ground, sender, receiver));
  const { title, bytes } = ground.big;
  return [
    { title: `tcp: ${title} (both ends counted)`, bytes, files: 1, line: undefined, note: undefined, contestants },
  ];
}
