/** The keys to log in with, in OpenSSH's order (pubkey_prepare() in sshconnect2.c). */
import ssh2, { type ParsedKey } from 'ssh2';
import { printable } from '../../../names.js';
import { agentKeys, agentPath, KeyNotUsed, OneKeyAgent, type Signer, signByAgent } from './agent.js';
import type { Attempt, AuthRequest } from './auth.js';
import { type Identity, readIdentity } from './identity.js';

/** A key of an agent and what signs with it. */
interface Held {
  readonly key: ParsedKey;
  readonly sign: Signer;
}

/** What is learnt while keys are tried. */
export interface KeyEvents {
  /** The server took a public half and is sent a signature. */
  onSign(): void;
  /** An agent holds keys that only the system's ssh can use. */
  onUnusable(): void;
  /** A file that was named is no key, or not there. */
  onMissing(file: string): void;
}

/** Files whose keys an agent holds, the agent's other keys unless IdentitiesOnly, then the other files. */
export async function keyAttempts(request: AuthRequest, events: KeyEvents): Promise<Attempt[]> {
  const { config } = request;
  const { onSign } = events;
  const [identities, held] = await Promise.all([identitiesOf(request, events), heldByAgent(request, events)]);
  const inFiles = identities.flatMap(({ file, publicKey }) => {
    const found = publicKey && held.get(fingerprintOf(publicKey));
    if (!found) return [];
    held.delete(fingerprintOf(publicKey));
    return [{ file, found }];
  });
  const taken = new Set(inFiles.map(({ file }) => file));
  const others = config.identitiesOnly ? [] : [...held.values()];
  return [
    ...inFiles.map(({ file, found }) => attempt(request, `key ${file}`, found, onSign)),
    ...others.map((found) => attempt(request, 'the agent', found, onSign)),
    ...identities
      .filter(({ file, hasPrivate }) => hasPrivate && !taken.has(file))
      .map((identity) => fileAttempt(request, identity, onSign)),
  ];
}

function fingerprintOf(key: ParsedKey): string {
  return key.getPublicSSH().toString('base64');
}

async function identitiesOf(request: AuthRequest, { onMissing }: KeyEvents): Promise<Identity[]> {
  const { config, prompt, onNotice, scope, platform, secrets } = request;
  const found = await Promise.all(
    config.identityFiles.map((file) =>
      readIdentity({
        file,
        prompt: config.batchMode ? undefined : prompt,
        onNotice,
        passphraseTries: config.numberOfPasswordPrompts,
        secrets,
        scope,
        platform,
      }),
    ),
  );
  if (config.identityFilesGiven)
    for (const [at, file] of config.identityFiles.entries()) if (!found[at]) onMissing(file);
  return found.filter((identity) => identity !== undefined);
}

async function heldByAgent(request: AuthRequest, { onUnusable }: KeyEvents): Promise<Map<string, Held>> {
  const path = agentPath(request);
  if (path === undefined) return new Map();
  const agent = ssh2.createAgent(path);
  const { keys, unusable } = await agentKeys(agent);
  if (unusable > 0) onUnusable();
  return new Map(keys.map((key) => [fingerprintOf(key), { key, sign: signByAgent(agent, key) }]));
}

function attempt({ config }: AuthRequest, label: string, { key, sign }: Held, onSign: () => void): Attempt {
  const counted: Signer = (bytes, hash) => {
    onSign();
    return sign(bytes, hash);
  };
  const make = async () => ({ type: 'agent', username: config.user, agent: new OneKeyAgent(key, counted) }) as const;
  return { method: 'publickey', label, make };
}

/** Where the public half cannot be told, the key is unlocked first. */
function fileAttempt(request: AuthRequest, identity: Identity, onSign: () => void): Attempt {
  const label = `key ${identity.file}`;
  const { publicKey } = identity;
  if (publicKey) return attempt(request, label, { key: publicKey, sign: signByFile(request, identity) }, onSign);
  const make = async () => {
    const key = await identity.unlock();
    return key && attempt(request, label, { key, sign: signByFile(request, identity) }, onSign).make();
  };
  return { method: 'publickey', label, make };
}

function signByFile({ onNotice, onFailure, scope }: AuthRequest, { file, publicKey, unlock }: Identity): Signer {
  return async (bytes, hash) => {
    const key = await unlock().catch((error: unknown) => {
      // An aborted question ends the login.
      onFailure(error);
      return undefined;
    });
    scope.signal.throwIfAborted();
    if (!key) throw new KeyNotUsed();
    if (publicKey && fingerprintOf(key) !== fingerprintOf(publicKey)) {
      onNotice?.(printable(`key ${file}: ${file}.pub is the half of another key`));
      throw new KeyNotUsed();
    }
    const signature = key.sign(bytes, hash) as Buffer | Error;
    if (signature instanceof Error) throw signature;
    return signature;
  };
}
