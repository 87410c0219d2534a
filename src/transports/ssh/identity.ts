/** Private keys from files. */
import { readFile, stat } from 'node:fs/promises';
import ssh2, { type ParsedKey } from 'ssh2';
import { printable } from '../../names.js';
import type { Prompt, Scope } from '../../transport.js';

export interface IdentityRequest {
  readonly file: string;
  /** Absent where nobody may be asked. */
  readonly prompt?: Prompt | undefined;
  readonly onNotice?: ((line: string) => void) | undefined;
  readonly passphraseTries: number;
  readonly scope: Scope;
  readonly platform?: NodeJS.Platform;
}

const MAX_KEY_BYTES = 256 * 1024;

/**
 * A key, OpenSSH's format or PEM, whose passphrase is asked for where it has one. Undefined, with a notice where it is
 * there, for a file that is missing, not a private key, open to others (as ssh does it), or not unlocked.
 */
export async function loadIdentity(request: IdentityRequest): Promise<ParsedKey | undefined> {
  const { file, onNotice } = request;
  const notice = (reason: string) => onNotice?.(printable(`key ${file}: ${reason}`));
  const bytes = await readKeyFile(request, notice);
  if (!bytes) return undefined;
  const key = first(ssh2.utils.parseKey(bytes));
  if (!(key instanceof Error)) return key.isPrivateKey() ? key : undefined;
  if (!/passphrase/i.test(key.message)) {
    notice('not a private key that can be read here');
    return undefined;
  }
  return unlock(request, bytes, notice);
}

async function readKeyFile(
  { file, platform = process.platform }: IdentityRequest,
  notice: (reason: string) => void,
): Promise<Buffer | undefined> {
  try {
    const { mode, size } = await stat(file);
    if (platform !== 'win32' && (mode & 0o077) !== 0) {
      notice(`others can read it (mode ${(mode & 0o777).toString(8)}), so it is not used; chmod 600 it`);
      return undefined;
    }
    if (size <= MAX_KEY_BYTES) return await readFile(file);
    notice('too large for a key');
  } catch {
    // As ssh: a key that is not there is passed over.
  }
  return undefined;
}

async function unlock(
  { file, prompt, passphraseTries, scope }: IdentityRequest,
  bytes: Buffer,
  notice: (reason: string) => void,
): Promise<ParsedKey | undefined> {
  if (!prompt) {
    notice('it has a passphrase, and nobody can be asked');
    return undefined;
  }
  for (let tries = 0; tries < passphraseTries; tries++) {
    const passphrase = await prompt.secret(printable(`Enter passphrase for key '${file}': `), scope);
    if (!passphrase) return undefined;
    const key = first(ssh2.utils.parseKey(bytes, passphrase));
    if (!(key instanceof Error)) return key;
  }
  notice('the passphrase is wrong');
  return undefined;
}

/** The parser gives a list for some formats, which its types leave out. */
function first(parsed: ParsedKey | Error | ParsedKey[]): ParsedKey | Error {
  return Array.isArray(parsed) ? (parsed[0] ?? new Error('no key')) : parsed;
}
