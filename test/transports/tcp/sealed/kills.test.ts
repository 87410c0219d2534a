/**
 * Sealed transfers whose ends are killed at random points: never a short file under its name, and the next run makes all
 * of it right and leaves nothing else. XFER_KILLS sets how many, XFER_SEED repeats a run.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Dice, pickSeed } from '../../../support/random.js';
import { KEY } from '../../../support/sealed.js';
import { bytesOnDisk, differences, makeFlatTree, makeRandomFile } from '../../../support/trees.js';

const KILLS = Number(process.env.XFER_KILLS ?? 4);
const DRIVER = join(import.meta.dirname, '..', '..', '..', 'support', 'sealed-driver.js');
const LARGE_BYTES = 12 << 20;
/** So slow that a copy takes longer than a process takes to start. */
const BYTES_PER_SECOND = String(24 << 20);
const TEST = { timeout: 120_000 + KILLS * 10_000 };

type Role = 'send' | 'receive';

/** One end, as a process. */
class End {
  readonly process: ChildProcess;
  /** The port that it listens on. */
  readonly port: Promise<number>;
  readonly ended: Promise<number | null>;
  stderr = '';

  constructor(args: readonly string[]) {
    const env = { ...process.env, XFER_TEST_KEY: KEY.toString('hex') };
    this.process = spawn(process.execPath, [DRIVER, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
    const lines = createInterface({ input: this.process.stdout as NodeJS.ReadableStream });
    this.port = new Promise((resolve) => {
      lines.on('line', (line) => line.startsWith('port ') && resolve(Number(line.slice(5))));
      this.process.once('close', () => resolve(0));
    });
    this.process.stderr?.on('data', (text: Buffer) => {
      this.stderr += text.toString();
    });
    this.ended = once(this.process, 'close').then(([code]) => code as number | null);
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.ended;
  }
}

describe('sealed ends that are killed', TEST, () => {
  let root: string;

  before(() => {
    root = mkdtempSync(join(tmpdir(), 'xfer-sealed-kills-'));
    makeRandomFile(join(root, 'large'), LARGE_BYTES);
    mkdirSync(join(root, 'tree'));
    makeFlatTree(join(root, 'tree/many'), 300, 3000);
    makeRandomFile(join(root, 'tree/large'), LARGE_BYTES / 2);
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  for (const [at, listener] of (['receive', 'send'] as const).entries()) {
    for (const what of ['large', 'tree'] as const) {
      const seed = pickSeed() + at;
      test(`${listener === 'receive' ? 'the sender' : 'the receiver'} calls, ${what}, seed ${seed}`, TEST, async () => {
        const dice = new Dice(seed);
        for (let round = 0; round < KILLS / 4; round += 1) {
          await killOne(new Round(root, what, listener, `${listener}-${what}-${round}`), dice);
        }
      });
    }
  }
});

class Round {
  readonly source: string;
  readonly folder: string;
  readonly target: string;
  readonly #listener: Role;
  readonly #states: string;
  #port = 0;

  constructor(root: string, what: string, listener: Role, name: string) {
    this.source = join(root, what);
    this.folder = join(root, `to-${name}`);
    this.target = join(this.folder, what);
    this.#states = join(root, `state-${name}`);
    this.#listener = listener;
    mkdirSync(this.folder);
  }

  /** Starts an end; the one that listens has the same port each time. */
  async start(role: Role): Promise<End> {
    const listens = role === this.#listener;
    const path = role === 'send' ? this.source : this.folder;
    const args = [role, listens ? 'listen' : 'call', String(this.#port), path, `${this.#states}-${role}`];
    const end = new End(role === 'send' ? [...args, BYTES_PER_SECOND] : args);
    if (listens) this.#port = await end.port;
    if (listens) assert.ok(this.#port > 0, end.stderr);
    return end;
  }

  async startBoth(): Promise<Record<Role, End>> {
    const listening = await this.start(this.#listener);
    const calling = await this.start(this.#listener === 'send' ? 'receive' : 'send');
    return this.#listener === 'send' ? { send: listening, receive: calling } : { send: calling, receive: listening };
  }

  get heldBytes(): number {
    const many = join(this.target, 'many');
    return [this.folder, this.target, many].filter(isDirectory).reduce((sum, each) => sum + bytesOnDisk(each), 0);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
    for (const role of ['send', 'receive']) rmSync(`${this.#states}-${role}`, { recursive: true, force: true });
  }
}

/** Kills one end at some point, starts it again, and looks at what there is after each. */
async function killOne(round: Round, dice: Dice): Promise<void> {
  const ends = await round.startBoth();
  const victim = dice.of(['send', 'receive'] as const);
  const other = victim === 'send' ? 'receive' : 'send';
  const fromBytes = dice.below(LARGE_BYTES * 0.6);
  try {
    while (round.heldBytes < fromBytes && ends[victim].process.exitCode === null) await sleep(5);
    await ends[victim].kill();
    assertNothingShort(round);
    const again = await round.start(victim);
    const codes = await bothEnded([again, ends[other]]);
    const said = `${victim} was killed from ${fromBytes} bytes on: ${again.stderr} ${ends[other].stderr}`;
    if (codes[0] !== 0 || codes[1] !== 0) await runAgain(round, said);
    assert.deepEqual(differences(round.source, round.target, { modes: true, times: true }), [], said);
    assert.deepEqual(
      readdirSync(round.folder, { recursive: true }).filter((name) => `${name}`.endsWith('part')),
      [],
      said,
    );
  } finally {
    for (const end of Object.values(ends)) await end.kill();
  }
  round.remove();
}

/** Both had ended, or had said all: the victim came too late to meet the other one. */
async function runAgain(round: Round, said: string): Promise<void> {
  assertNothingShort(round);
  const ends = await round.startBoth();
  console.error('AGAIN', said);
  const codes = await bothEnded([ends.send, ends.receive]);
  assert.deepEqual(codes, [0, 0], `${said} ${ends.send.stderr} ${ends.receive.stderr}`);
}

/** How both ended. Where one failed or was alone, nobody comes to the other one, and it is ended. */
async function bothEnded(ends: readonly End[]): Promise<(number | null)[]> {
  const first = await Promise.race(ends.map((end) => end.ended));
  const patienceMs = first === 0 ? 20_000 : 0;
  const stop = new AbortController();
  const late = sleep(patienceMs, undefined, { signal: stop.signal })
    .then(() => Promise.all(ends.map((end) => end.kill())))
    .catch(() => {});
  const codes = await Promise.all(ends.map((end) => end.ended));
  stop.abort();
  await late;
  return codes;
}

/** What has its name has all its bytes. */
function assertNothingShort({ source, target }: Round): void {
  if (!existsSync(target)) return;
  if (!isDirectory(target)) {
    assert.ok(readFileSync(source).equals(readFileSync(target)), `${target} is not whole`);
    return;
  }
  for (const name of readdirSync(target, { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('.xfer-part') || isDirectory(join(target, name))) continue;
    assert.ok(readFileSync(join(source, name)).equals(readFileSync(join(target, name))), `${name} is not whole`);
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
