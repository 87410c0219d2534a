/** Lines of known_hosts from a program (ssh_config.5, KnownHostsCommand). */
import { isAbsolute } from 'node:path';
import { XferError } from '../../../errors.js';
import { nameFromBytes } from '../../../names.js';
import { startedBy } from '../../../started-by.js';
import type { Scope } from '../../../transport.js';
import type { KnownHostsCommand, SshConfig } from '../config/config.js';
import { expandTokens } from '../config/tokens.js';
import { KnownHosts, knownHostName, knownHostSubject } from './known-hosts.js';
import { fingerprint, keyTypeOf } from './public-key.js';

/** Why it is started: for the order of algorithms, or for a host's name or address whose key is there. */
export interface KnownHostsQuestion {
  readonly reason: 'ORDER' | 'HOSTNAME' | 'ADDRESS';
  /** As known_hosts names it. */
  readonly name: string;
  readonly key?: Buffer;
}

const LONGEST_MS = 60_000;
const MOST_BYTES = 16 * 1024 * 1024;

/** What this side knows about a host before it is spoken to. */
export interface KnownHost {
  readonly knownHosts: KnownHosts;
  /** Types of the keys that it is known by, in the order of the files and then of the command. */
  readonly keyTypes: readonly string[];
}

/** Reads the known_hosts files, and asks the command for the order of algorithms. Rejects as `KnownHosts.load` and `askKnownHosts`. */
export async function loadKnownHost(config: SshConfig, scope: Scope): Promise<KnownHost> {
  const knownHosts = await KnownHosts.load([...config.userKnownHostsFiles, ...config.globalKnownHostsFiles]);
  const { host, port } = knownHostSubject(config);
  const question = { reason: 'ORDER', name: knownHostName(host, port) } as const;
  const ordered = await askKnownHosts(config, knownHosts, question, scope);
  return { knownHosts, keyTypes: ordered.keyTypes(host, port) };
}

/**
 * What is known, with what the command says to a question; as it is where there is no command. DENIED where the command
 * fails, so that nothing is trusted; USAGE where it is not right; TIMED_OUT; the signal's reason.
 */
export async function askKnownHosts(
  config: SshConfig,
  knownHosts: KnownHosts,
  question: KnownHostsQuestion,
  { signal }: Scope,
): Promise<KnownHosts> {
  const command = config.knownHostsCommand;
  if (!command) return knownHosts;
  signal.throwIfAborted();
  const what = `KnownHostsCommand ${command.written}`;
  const [program, ...args] = argumentsFor(command, question, what);
  if (program === undefined || !isAbsolute(program)) throw new XferError('USAGE', `${what}: not a whole path`);
  const { execa } = await import('execa');
  const options = {
    stdin: 'ignore',
    stderr: 'ignore',
    encoding: 'buffer',
    stripFinalNewline: false,
    reject: false,
    timeout: LONGEST_MS,
    maxBuffer: MOST_BYTES,
    env: command.environment,
    extendEnv: false,
    cancelSignal: signal,
  } as const;
  const ended = await startedBy(program, () => execa(program, args, options));
  signal.throwIfAborted();
  if (ended.timedOut) throw new XferError('TIMED_OUT', `${what}: it did not end within ${LONGEST_MS / 1000} s`);
  if (ended.isMaxBuffer) throw new XferError('DENIED', `${what}: it says more than ${MOST_BYTES} bytes`);
  if (ended.exitCode !== 0) {
    const reason = ended.exitCode === undefined ? 'it was not started, or killed' : `exit code ${ended.exitCode}`;
    throw new XferError('DENIED', `${what}: it failed: ${reason}`, { cause: ended.cause });
  }
  return knownHosts.with(nameFromBytes(Buffer.from(ended.stdout)), `KnownHostsCommand-${question.reason}`);
}

/** The program as it is written, and its arguments with tokens and variables expanded. */
function argumentsFor({ words, tokens, environment }: KnownHostsCommand, question: KnownHostsQuestion, what: string) {
  const { key, name, reason } = question;
  const all = {
    ...tokens,
    H: name,
    I: reason,
    K: key?.toString('base64') ?? 'NONE',
    f: key ? fingerprint(key) : 'NONE',
    t: key ? keyTypeOf(key) : 'NONE',
  };
  return words.map((word, at) => (at === 0 ? word : expandTokens(word, all, environment, what)));
}
