import { setTimeout as sleep } from 'node:timers/promises';
import { onAbort } from '../../../concurrency/on-abort.js';
import { XferError } from '../../../errors.js';
import { tellLines } from '../../../streams/text-lines.js';
import type { Scope } from '../../../transport.js';
import type { Carrier } from '../carriers/carrier.js';
import { farError } from './record.js';
import { LegacyWire } from './wire.js';

/** The other end of one session. */
export interface LegacyPeer {
  readonly wire: LegacyWire;
  /** Waits until it has ended: why that was no success, or undefined. The signal's reason. */
  ended(scope: Scope): Promise<XferError | undefined>;
}

/** How long a command may take to end after its last byte. */
const LAST_WORDS_MS = 5000;
const KEPT_LINES = 20;
const NO_SUCH_COMMAND = 127;

/** Starts a command there. UNSUPPORTED where the carrier can start none, DENIED, DISCONNECTED. */
export async function startPeer(carrier: Carrier, command: string, label: string, scope: Scope): Promise<LegacyPeer> {
  if (!carrier.execute) {
    throw new XferError('UNSUPPORTED', `open ${label}: the old scp protocol needs a command on the far side`, {
      hint: 'leave out -O',
    });
  }
  const { stream, stderr, exitCode } = await carrier.execute(command, scope);
  const lines: string[] = [];
  tellLines(stderr, (line) => {
    if (lines.push(line) > KEPT_LINES) lines.shift();
  });
  const wire = new LegacyWire(stream, label);
  const ended = async ({ signal }: Scope) => {
    const late = new AbortController();
    const free = onAbort(signal, () => late.abort());
    const code = await Promise.race([exitCode, sleep(LAST_WORDS_MS, null, { signal: late.signal }).catch(() => null)]);
    free();
    late.abort();
    signal.throwIfAborted();
    return endOf(code, lines, label);
  };
  return { wire, ended };
}

function endOf(code: number | null, lines: readonly string[], label: string): XferError | undefined {
  if (code === 0) return undefined;
  const said = lines.at(-1);
  if (code === null) {
    return new XferError('DISCONNECTED', `scp at ${label}: ${said ?? 'it ended without an exit code'}`);
  }
  if (code === NO_SUCH_COMMAND) {
    return new XferError('UNSUPPORTED', `scp at ${label}: ${said ?? 'there is no such program'}`, {
      hint: 'install sftp-server or scp there',
    });
  }
  return farError(`scp at ${label}:`, said ?? `it ended with exit code ${code}`, 'DISCONNECTED');
}
