/** Runs `xfer scp` with a server that lies, in a directory of its own, and looks at all that it left. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { peakMemoryMiBOf } from '../support/processes.js';
import { startXfer } from '../support/run-xfer.js';

const SERVER = join(import.meta.dirname, '..', 'transports', 'ssh', 'lying-sftp-server.js');
/** Node and this program take about 90 MiB. */
const MOST_MIB = 300;
/** What a terminal would act on, but for the end of a line. */
const ACTIVE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

export interface Sandbox {
  readonly root: string;
  readonly target: string;
  /** Beside the target, with a file `secret` in it. */
  readonly outside: string;
}

export function sandbox(t: TestContext): Sandbox {
  const root = mkdtempSync(join(tmpdir(), 'xfer-hostile-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const [target, outside] = [join(root, 'target'), join(root, 'outside')];
  for (const folder of [target, outside]) mkdirSync(folder, { mode: 0o750 });
  writeFileSync(join(outside, 'secret'), 'private', { mode: 0o600 });
  writeFileSync(join(target, 'up'), 'some bytes');
  writeFileSync(join(target, 'up-big'), Buffer.alloc(3_000_000, 'u'));
  return { root, target, outside };
}

/** Every name below a directory, with what is to be seen of it; a directory's time is not, since it may be written to. */
function snapshot(root: string, path = '', seen = new Map<string, string>()): Map<string, string> {
  for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
    const name = join(path, entry.name);
    const { mode, size } = lstatSync(join(root, name));
    const held = entry.isFile() ? `${size} ${readFileSync(join(root, name), 'latin1').slice(0, 64)}` : '';
    seen.set(name, `${mode.toString(8)} ${held}`);
    if (entry.isDirectory()) snapshot(root, name, seen);
  }
  return seen;
}

/** Names that were added or changed. */
function changes(before: Map<string, string>, after: Map<string, string>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((path) => before.get(path) !== after.get(path))
    .sort();
}

export interface Outcome {
  readonly exitCode: number | null;
  readonly output: string;
  readonly peakMiB: number | undefined;
  /** Names below the sandbox that are new or other than they were. */
  readonly changed: string[];
  /** Names with a bit of setuid, setgid or sticky. */
  readonly lending: string[];
  /** What the server holds: digests by path. */
  readonly far: Record<string, string>;
}

export async function scp(
  box: Sandbox,
  [lie, word = '']: readonly [string, string?],
  ...args: string[]
): Promise<Outcome> {
  const [program, record] = [join(box.root, 'server'), join(box.root, 'record')];
  const words = [process.execPath, SERVER, record, lie, word].map((each) => `'${each}'`);
  writeFileSync(program, `#!/bin/sh\nexec ${words.join(' ')}\n`);
  chmodSync(program, 0o755);
  writeFileSync(record, '{}');
  const before = snapshot(box.root);
  const run = startXfer(['scp', '-D', program, '--retry', '0', ...args], { cwd: box.target });
  let peakMiB: number | undefined;
  const look = () => {
    peakMiB = peakMemoryMiBOf(run.child.pid as number) ?? peakMiB;
  };
  const timer = setInterval(look, 15);
  const { exitCode } = await run.exited;
  clearInterval(timer);
  const seen = snapshot(box.root);
  const changed = changes(before, seen).filter((path) => path !== 'record');
  const lending = [...seen].filter(([, held]) => Number.parseInt(held, 8) & 0o7000).map(([path]) => path);
  return { exitCode, output: run.output(), peakMiB, changed, lending, far: JSON.parse(readFileSync(record, 'utf8')) };
}

export function assertHarmless(
  { exitCode, output, peakMiB, changed, lending }: Outcome,
  exit: number,
  left: readonly string[],
): void {
  assert.equal(exitCode, exit, output);
  assert.deepEqual(changed, [...left].sort(), output);
  assert.deepEqual(lending, [], 'files that lend their rights');
  for (const line of output.split('\n')) assert.doesNotMatch(line, ACTIVE);
  assert.doesNotMatch(output, /\n\s+at /, 'a stack is for bugs');
  assert.ok((peakMiB ?? 0) < MOST_MIB, `${peakMiB} MiB`);
}

export function digestOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
