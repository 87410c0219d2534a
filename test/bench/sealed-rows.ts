/** Files from one machine to another, sealed with a key, beside scp and rsync over SSH. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { XFER } from '../support/run-xfer.js';
import { differences } from '../support/trees.js';
import { type DelayLine, type LineOptions, startDelayLine } from './delay-line.js';
import type { Ground, Load } from './ground.js';
import type { Area, Child, Contestant, Row } from './measure.js';
import type { AreaName } from './options.js';
import { type SshServer, startSshServer } from './ssh-server.js';
import { mostFilesForScp } from './time-limit.js';

/** A receiver that is ready, and the line to it. */
interface Ready {
  readonly receiver: Child;
  readonly line: DelayLine | undefined;
  readonly port: number;
}

/** `xfer send` and `xfer recv`; both ends are counted, and the round trips until they know each other too. */
function sealed(ground: Ground, load: Load, line: LineOptions | undefined, options: readonly string[]): Contestant {
  const arrived = join(ground.folder, 'sealed-out');
  const key = join(ground.folder, 'sealed-key');
  const label = ['xfer send, xfer recv', ...options].join(' ');
  let ready: Ready | undefined;
  return {
    label,
    async prepare(meter) {
      rmSync(arrived, { recursive: true, force: true });
      const words = ['recv', '-l', '--key-file', key, '127.0.0.1:0', `${arrived}/`];
      const receiver = meter.start(process.execPath, [XFER, ...words]);
      const [, port] = await receiver.printed(/waiting on \S*:(\d+)/);
      const long = line && (await startDelayLine(Number(port), line));
      ready = { receiver, line: long, port: long?.port ?? Number(port) };
    },
    async run(meter) {
      if (!ready) throw new Error(`${label}: the receiver was not started`);
      const words = ['send', '-q', '--key-file', key, ...options, `127.0.0.1:${ready.port}`, load.path];
      try {
        await meter.run(process.execPath, [XFER, ...words]);
        await ready.receiver.done;
      } finally {
        ready.receiver.process.kill();
        await ready.line?.close();
      }
    },
    check: () => ground.mustBeSame(label, differences(load.path, join(arrived, load.path.split('/').at(-1) as string))),
  };
}

/** Another program over SSH to the same place. */
function overSsh(ground: Ground, server: SshServer, load: Load, name: 'scp' | 'rsync'): Contestant | undefined {
  const program = ground.peer(name);
  if (program === undefined || (name === 'scp' && load.files > mostFilesForScp(server.line))) return undefined;
  const arrived = join(ground.folder, 'sealed-out');
  const kind = load.tree ? (name === 'scp' ? ['-r'] : ['-a']) : name === 'scp' ? [] : ['-W'];
  const carrier = name === 'scp' ? ['-q', '-F', server.configFile] : ['-e', `ssh -F ${server.configFile}`];
  const label = [name, ...kind].join(' ');
  const end = load.tree && name === 'rsync' ? '/' : '';
  return {
    label,
    prepare: () => rmSync(arrived, { recursive: true, force: true }),
    run: (meter) => meter.run(program, [...kind, ...carrier, load.path + end, `${server.host}:${arrived}${end}`]),
    check: () => ground.mustBeSame(label, differences(load.path, arrived)),
  };
}

/** Standard input to standard output: what it takes of memory, whatever the length. */
function piped(ground: Ground, line: LineOptions | undefined): Row {
  const { path, title, bytes } = ground.big;
  const [arrived, key] = [join(ground.folder, 'sealed-out'), join(ground.folder, 'sealed-key')];
  const label = 'xfer send -, xfer recv -';
  return {
    title: `sealed: ${title} from standard input to standard output`,
    bytes,
    files: 1,
    line,
    note: undefined,
    contestants: [
      {
        label,
        prepare: () => rmSync(arrived, { recursive: true, force: true }),
        async run(meter) {
          const words = ['recv', '-l', '--key-file', key, '127.0.0.1:0', '-'];
          const receiver = meter.start(process.execPath, [XFER, ...words], { outputFile: arrived });
          const [, port] = await receiver.printed(/waiting on \S*:(\d+)/);
          const send = ['send', '-q', '--key-file', key, `127.0.0.1:${port}`, '-'];
          await meter.run(process.execPath, [XFER, ...send], { inputFile: path });
          await receiver.done;
        },
        check: () => ground.mustBeSame(label, differences(path, arrived)),
      },
    ],
  };
}

function row(ground: Ground, server: SshServer | undefined, load: Load, line: LineOptions | undefined): Row {
  const own = [sealed(ground, load, line, [])];
  // What one connection holds is what bounds it there.
  if (line && !load.tree) own.push(sealed(ground, load, line, ['--parallel', '1']));
  const others = server ? (['scp', 'rsync'] as const).map((name) => overSsh(ground, server, load, name)) : [];
  const title = server ? server.title(load.title).replace(/^\S+:/, 'sealed:') : `sealed: ${load.title}`;
  return {
    title,
    bytes: load.bytes,
    files: load.files,
    line,
    note: undefined,
    contestants: [...own, ...others.filter((other) => other !== undefined)],
  };
}

/** Starts an sshd for the others, where there is one. */
export async function startSealedRows(
  ground: Ground,
  areas: readonly AreaName[],
  line: LineOptions | undefined,
): Promise<Area> {
  const server = ground.peer('sshd') === undefined ? undefined : await startSshServer(ground, line);
  const rows: Row[] = [];
  if (areas.includes('sealed-big')) rows.push(row(ground, server, ground.big, line), piped(ground, undefined));
  if (areas.includes('sealed-small')) rows.push(row(ground, server, ground.tree, line));
  return { rows, stop: async () => server?.stop() };
}
