/** The programs that hold keys: where they listen, what they hold, and a stand-in for one that holds one key. */
import { readdirSync } from 'node:fs';
import ssh2, { type BaseAgent, type IdentityCallback, type ParsedKey, type SignCallback } from 'ssh2';
import type { SshConfig } from '../config/config.js';

export interface AgentPlace {
  readonly config: SshConfig;
  readonly environment?: NodeJS.ProcessEnv | undefined;
  readonly platform?: NodeJS.Platform | undefined;
  /** Names of Windows' named pipes. */
  readonly pipes?: (() => readonly string[]) | undefined;
}

const PIPES = '\\\\.\\pipe\\';
const OPENSSH_PIPE = 'openssh-ssh-agent';
/** PuTTY's agent since 0.77: `pageant.<user>.<digest>`. */
const PAGEANT_PIPE = /^pageant\..+\.[0-9a-f]+$/;

/** Where the agent listens: IdentityAgent, SSH_AUTH_SOCK, or the pipe of OpenSSH's or PuTTY's agent on Windows. */
export function agentPath(place: AgentPlace): string | undefined {
  const { config, environment = process.env, platform = process.platform, pipes = listPipes } = place;
  const set = config.identityAgent;
  if (set?.toLowerCase() === 'none') return undefined;
  if (set !== undefined && set !== 'SSH_AUTH_SOCK') return set;
  if (environment.SSH_AUTH_SOCK) return environment.SSH_AUTH_SOCK;
  if (platform !== 'win32') return undefined;
  const there = pipes();
  const pageant = there.includes(OPENSSH_PIPE) ? undefined : there.find((name) => PAGEANT_PIPE.test(name));
  return `${PIPES}${pageant ?? OPENSSH_PIPE}`;
}

function listPipes(): readonly string[] {
  try {
    return readdirSync(PIPES);
  } catch {
    return [];
  }
}

/** Keys of one agent that are tried at most: a server takes about six. */
const MOST_KEYS = 64;

export interface AgentKeys {
  readonly keys: readonly ParsedKey[];
  /** How many more it holds, of kinds that cannot be used here, such as certificates and FIDO keys. */
  readonly unusable: number;
}

/** What an agent holds; nothing where none answers. */
export function agentKeys(agent: BaseAgent): Promise<AgentKeys> {
  return new Promise((resolve) => {
    agent.getIdentities((error, found) => {
      const all = error ? [] : (found ?? []).slice(0, MOST_KEYS);
      const parsed = all.map((key) => ssh2.utils.parseKey(key as Buffer));
      const keys = parsed.filter((key): key is ParsedKey => !(key instanceof Error));
      resolve({ keys, unusable: all.length - keys.length });
    });
  });
}

/** Signs with one key of an agent. */
export function signByAgent(agent: BaseAgent, key: ParsedKey): Signer {
  return (bytes, hash) =>
    new Promise((resolve, reject) => {
      agent.sign(key, bytes, hash === undefined ? {} : { hash }, (error, signature) => {
        if (signature) resolve(signature);
        else reject(error ?? new KeyNotUsed());
      });
    });
}

export type SignatureHash = 'sha1' | 'sha256' | 'sha512';
export type Signer = (bytes: Buffer, hash: SignatureHash | undefined) => Promise<Buffer>;

/** A key that was offered is not used after all; why was said where it happened. */
export class KeyNotUsed extends Error {}

/**
 * An agent with one key. ssh2 asks the server first whether it would take the public half, and only then for a signature:
 * so that no passphrase is asked for in vain.
 */
export class OneKeyAgent extends ssh2.BaseAgent {
  readonly #key: ParsedKey;
  readonly #sign: Signer;

  constructor(key: ParsedKey, sign: Signer) {
    super();
    this.#key = key;
    this.#sign = sign;
  }

  override getIdentities(done: IdentityCallback): void {
    done(undefined, [this.#key]);
  }

  override sign(_key: unknown, bytes: Buffer, options: unknown, done?: SignCallback): void {
    const answer = (typeof options === 'function' ? options : done) as SignCallback;
    const { hash } = options as { hash?: SignatureHash };
    this.#sign(bytes, hash)
      .then((signature) => answer(undefined, signature))
      .catch((error: unknown) => answer(error instanceof Error ? error : new KeyNotUsed()));
  }
}
