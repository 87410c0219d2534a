/** Decides whether a host is who it says: known_hosts, StrictHostKeyChecking and the person. Any doubt refuses. */
import { createHash } from 'node:crypto';
import { toXferError, XferError } from '../../errors.js';
import { printable } from '../../names.js';
import type { Prompt, Scope } from '../../transport.js';
import type { SshConfig } from './config.js';
import { addKnownHost, type HostKeyCheck, type KnownHosts, keyTypeOf, knownHostName } from './known-hosts.js';

export interface HostKeyRequest {
  readonly config: SshConfig;
  readonly knownHosts: KnownHosts;
  /** As on the wire (RFC 4253, 6.6). */
  readonly key: Buffer;
  readonly prompt?: Prompt | undefined;
  readonly onNotice?: ((line: string) => void) | undefined;
  readonly scope: Scope;
}

/** `SHA256:` and the digest of a key in base64 without padding, as ssh-keygen -l shows it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** What known_hosts is asked for: HostKeyAlias without a port, else host and port. */
export function knownHostSubject(config: SshConfig): { host: string; port: number } {
  if (config.hostKeyAlias !== undefined) return { host: config.hostKeyAlias, port: 22 };
  return { host: config.hostName, port: config.port };
}

/**
 * Resolves where the key may be trusted, after it was written down if it is new. Rejects with DENIED for a changed or
 * revoked key under every setting, and for an unknown one unless StrictHostKeyChecking or the person takes it; with the
 * signal's reason; and with the error itself where anything fails, so that no failure lets a key through.
 */
export async function verifyHostKey(request: HostKeyRequest): Promise<void> {
  const { config, knownHosts, key, scope } = request;
  scope.signal.throwIfAborted();
  try {
    const { host, port } = knownHostSubject(config);
    const check = knownHosts.check(host, port, key);
    if (check.verdict === 'known') return;
    const name = knownHostName(host, port);
    if (check.verdict !== 'unknown') throw refusal(check, name, key);
    await admit(request, name);
    scope.signal.throwIfAborted();
    await writeDown(request, name);
  } catch (error) {
    scope.signal.throwIfAborted();
    throw toXferError(error, `host key of ${config.host}`);
  }
}

/** `ED25519 SHA256:…`, as a person compares it. */
function describeKey(key: Buffer): string {
  const type = keyTypeOf(key)
    .replace(/@.*$/, '')
    .replace(/^(sk-)?ssh-/, '$1');
  return `${type.replace(/^(sk-)?ecdsa-.*/, '$1ecdsa').toUpperCase()} ${fingerprint(key)}`;
}

function refusal(check: HostKeyCheck, name: string, key: Buffer): XferError {
  const place = `${check.file}:${check.line}`;
  if (check.verdict === 'revoked') {
    return new XferError('DENIED', `host key of ${name}: ${describeKey(key)} is revoked in ${place}`, {
      hint: 'ask the administrator of the host for its new key',
    });
  }
  const reason = `it changed: ${describeKey(key)} came, ${place} holds another; somebody may be listening in`;
  return new XferError('DENIED', `host key of ${name}: ${reason}`, {
    hint: `if the host has a new key that you checked, remove the old one: ssh-keygen -R '${name}' -f '${check.file}'`,
  });
}

async function admit(request: HostKeyRequest, name: string): Promise<void> {
  const { config, key, prompt } = request;
  const policy = config.strictHostKeyChecking;
  if (policy === 'accept-new' || policy === 'no') return;
  if (policy === 'ask' && prompt !== undefined && !config.batchMode) {
    if (await confirm(request, prompt, name)) return;
    throw new XferError('DENIED', `host key of ${name}: ${describeKey(key)} was not accepted`);
  }
  throw new XferError('DENIED', `host key of ${name}: ${describeKey(key)} is not known`, {
    hint: `connect once with -o StrictHostKeyChecking=accept-new after checking the fingerprint ${fingerprint(key)}`,
  });
}

const MOST_QUESTIONS = 10;

async function confirm({ key, scope }: HostKeyRequest, prompt: Prompt, name: string): Promise<boolean> {
  let question = printable(
    `The authenticity of host '${name}' can't be established. Its key is ${describeKey(key)}. ` +
      'Are you sure you want to continue connecting (yes/no/[fingerprint])? ',
  );
  for (let asked = 0; asked < MOST_QUESTIONS; asked++) {
    const answer = (await prompt.line(question, scope))?.trim();
    if (answer === undefined || answer === '' || answer.toLowerCase() === 'no') return false;
    if (answer.toLowerCase() === 'yes' || answer === fingerprint(key)) return true;
    question = "Please type 'yes', 'no' or the fingerprint: ";
  }
  return false;
}

async function writeDown({ config, key, onNotice }: HostKeyRequest, name: string): Promise<void> {
  const { host, port } = knownHostSubject(config);
  const [file] = config.userKnownHostsFiles;
  if (file === undefined || file === '/dev/null') {
    onNotice?.(printable(`host key of ${name}: ${describeKey(key)} is new and was not written down`));
    return;
  }
  await addKnownHost(file, { host, port, key, hash: config.hashKnownHosts });
  onNotice?.(printable(`host key of ${name}: ${describeKey(key)} is new and was added to ${file}`));
}
