/** Decides whether a host is who it says: known_hosts, StrictHostKeyChecking and the person. Any doubt refuses. */
import { toXferError, XferError } from '../../../errors.js';
import { printable } from '../../../names.js';
import type { Prompt, Scope } from '../../../transport.js';
import { SYSTEM_SSH_HINT } from '../carriers/connection-error.js';
import type { SshConfig } from '../config/config.js';
import { addKnownHost } from './add-known-host.js';
import { isLoopback } from './host-address.js';
import { type HostKeyCheck, type KnownHosts, knownHostName, knownHostSubject } from './known-hosts.js';
import { askKnownHosts } from './known-hosts-command.js';
import { describeKey, fingerprint, rsaBits } from './public-key.js';
import { revokedLine } from './revoked-keys.js';

export interface HostKeyRequest {
  readonly config: SshConfig;
  readonly knownHosts: KnownHosts;
  /** As on the wire (RFC 4253, 6.6). */
  readonly key: Buffer;
  /** Of the host itself; absent where something stands in between, such as a ProxyCommand or a jump host. */
  readonly address?: string | undefined;
  readonly prompt?: Prompt | undefined;
  readonly onNotice?: ((line: string) => void) | undefined;
  readonly scope: Scope;
}

/** What known_hosts says about the host, and where CheckHostIP asks for it about its address. */
interface Findings {
  readonly request: HostKeyRequest;
  /** As known_hosts names it. */
  readonly name: string;
  readonly host: HostKeyCheck;
  readonly address?: HostKeyCheck;
}

/**
 * Resolves where the key may be trusted, after it was written down, as far as that can be, if it is new. Rejects with DENIED for a changed or
 * revoked key under every setting, and for an unknown one unless StrictHostKeyChecking or the person takes it; with the
 * signal's reason; and with the error itself where anything fails, so that no failure lets a key through.
 */
export async function verifyHostKey(request: HostKeyRequest): Promise<void> {
  const { config, scope } = request;
  scope.signal.throwIfAborted();
  try {
    await refuseAlways(request);
    if (isForgiven(request)) return;
    const findings = await look(request);
    const { host, address, name } = findings;
    if (host.verdict === 'changed' || host.verdict === 'revoked') throw refusal(host, name, request.key);
    if (host.verdict === 'unknown') await admit(findings);
    if (address?.verdict === 'changed' || address?.verdict === 'revoked') await admitAddress(findings, address);
    scope.signal.throwIfAborted();
    await writeDown(findings);
  } catch (error) {
    scope.signal.throwIfAborted();
    throw toXferError(error, `host key of ${config.host}`);
  }
}

/** What no setting about known hosts lets through. */
async function refuseAlways({ config, key }: HostKeyRequest): Promise<void> {
  const what = `host key of ${config.host}: ${describeKey(key)}`;
  const bits = rsaBits(key);
  if (bits !== undefined && bits < config.requiredRsaBits) {
    throw new XferError('DENIED', `${what} has ${bits} bits, fewer than ${config.requiredRsaBits}`, {
      hint: 'ask the administrator of the host for a longer key, or see RequiredRSASize in ssh_config',
    });
  }
  const file = config.revokedHostKeysFile;
  const line = file === undefined ? undefined : await revokedLine(file, key);
  if (line !== undefined) throw revoked(what, `${file}:${line}`);
}

/** NoHostAuthenticationForLocalhost, for homes that several machines share. */
function isForgiven({ config, address }: HostKeyRequest): boolean {
  const local = address !== undefined && isLoopback(address);
  return config.noHostAuthenticationForLocalhost && local && config.hostKeyAlias === undefined;
}

async function look(request: HostKeyRequest): Promise<Findings> {
  const { config, knownHosts, key, scope } = request;
  const { host, port } = knownHostSubject(config);
  const name = knownHostName(host, port);
  const forHost = await askKnownHosts(config, knownHosts, { reason: 'HOSTNAME', name, key }, scope);
  const found = { request, name, host: forHost.check(host, port, key) };
  const address = checkedAddress(request);
  if (address === undefined) return found;
  const question = { reason: 'ADDRESS', name: knownHostName(address, config.port), key } as const;
  const forAddress = await askKnownHosts(config, knownHosts, question, scope);
  return { ...found, address: forAddress.check(address, config.port, key) };
}

/** What CheckHostIP looks up: not an address that was typed, nor this machine. */
function checkedAddress({ config, address }: HostKeyRequest): string | undefined {
  if (!config.checkHostIp || address === undefined || isLoopback(address)) return undefined;
  return address === config.hostName ? undefined : address;
}

function revoked(what: string, place: string): XferError {
  return new XferError('DENIED', `${what} is revoked in ${place}`, {
    hint: 'ask the administrator of the host for its new key',
  });
}

function refusal(check: HostKeyCheck, name: string, key: Buffer): XferError {
  const place = `${check.file}:${check.line}`;
  if (check.verdict === 'revoked') return revoked(`host key of ${name}: ${describeKey(key)}`, place);
  const reason = `it changed: ${describeKey(key)} came, ${place} holds another; somebody may be listening in`;
  return new XferError('DENIED', `host key of ${name}: ${reason}`, {
    hint: `if the host has a new key that you checked, remove the old one: ssh-keygen -R '${name}' -f '${check.file}'`,
  });
}

async function admit({ request, name }: Findings): Promise<void> {
  const { config, key, prompt, knownHosts, onNotice } = request;
  const { host, port } = knownHostSubject(config);
  const [authority] = knownHosts.authorities(host, port);
  if (authority) {
    const place = `${authority.file}:${authority.line}`;
    onNotice?.(printable(`host key of ${name}: ${place} trusts a certificate authority, which is passed over here`));
  }
  const policy = config.strictHostKeyChecking;
  if (policy === 'accept-new' || policy === 'no') return;
  const what = `host key of ${name}: ${describeKey(key)}`;
  if (policy === 'ask' && prompt !== undefined && !config.batchMode) {
    const question = `The authenticity of host '${name}' can't be established. Its key is ${describeKey(key)}.${knownElsewhere(request)}`;
    const answer = await confirm(request, prompt, question);
    if (answer === true) return;
    if (answer === false) throw new XferError('DENIED', `${what} was not accepted`);
  }
  const accept = `connect once with -o StrictHostKeyChecking=accept-new after checking the fingerprint ${fingerprint(key)}`;
  throw new XferError('DENIED', `${what} is not known`, { hint: authority ? SYSTEM_SSH_HINT : accept });
}

const MOST_PLACES = 8;

/** For a person who asks whether this is a host that is known by another name. */
function knownElsewhere({ knownHosts, key }: HostKeyRequest): string {
  const places = knownHosts.placesOf(key).map(({ file, line }) => `${file}:${line}`);
  if (places.length === 0) return '';
  const more = places.length > MOST_PLACES ? ` and ${places.length - MOST_PLACES} more` : '';
  return ` The same key is known by another name in ${places.slice(0, MOST_PLACES).join(', ')}${more}.`;
}

/** The host's name is fine, and its address is known by another key: somebody may have changed the DNS. */
async function admitAddress({ request, name }: Findings, check: HostKeyCheck): Promise<void> {
  const { config, key, prompt, address = '', onNotice } = request;
  const refused = refusal(check, knownHostName(address, config.port), key);
  const policy = config.strictHostKeyChecking;
  if (check.verdict === 'revoked' || policy === 'yes' || policy === 'accept-new') throw refused;
  const place = `${check.file}:${check.line}`;
  const differs = `The key of '${name}' differs from the one of its address ${address} in ${place}.`;
  if (policy === 'no') onNotice?.(printable(differs));
  else if (!prompt || config.batchMode || !(await confirm(request, prompt, differs))) throw refused;
}

const MOST_QUESTIONS = 10;

/** Undefined where there is nobody to ask, or who was asked gives up. */
async function confirm(
  { key, scope }: HostKeyRequest,
  prompt: Prompt,
  statement: string,
): Promise<boolean | undefined> {
  let question = printable(`${statement} Are you sure you want to continue connecting (yes/no/[fingerprint])? `);
  for (let asked = 0; asked < MOST_QUESTIONS; asked++) {
    const answer = (await prompt.line(question, scope))?.trim();
    if (answer === undefined) return undefined;
    if (answer === '' || answer.toLowerCase() === 'no') return false;
    if (answer.toLowerCase() === 'yes' || answer === fingerprint(key)) return true;
    question = "Please type 'yes', 'no' or the fingerprint: ";
  }
  return false;
}

/** What is new by now: the host, its address, or both. Where it cannot be written, that is said. */
async function writeDown({ request, host, address }: Findings): Promise<void> {
  const { config, key, onNotice } = request;
  const hosts = host.verdict === 'unknown' ? [knownHostSubject(config)] : [];
  if (address?.verdict === 'unknown') hosts.push({ host: request.address as string, port: config.port });
  if (hosts.length === 0) return;
  const names = hosts.map((one) => knownHostName(one.host, one.port)).join();
  const told = `host key of ${names}: ${describeKey(key)} is new and was`;
  const [file] = config.userKnownHostsFiles;
  if (file === undefined || file === '/dev/null') return onNotice?.(printable(`${told} not written down`));
  try {
    await addKnownHost(file, { hosts, key, hash: config.hashKnownHosts });
  } catch (error) {
    // The key was taken before: that the next run has to take it again is no reason to refuse it now.
    const { message } = toXferError(error, `known hosts ${file}`);
    return onNotice?.(printable(`${told} not written down: ${message}`));
  }
  onNotice?.(printable(`${told} added to ${file}`));
}
