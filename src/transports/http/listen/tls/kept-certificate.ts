/** The key and the certificate of a listener that was given none: made once, and kept for the next time. */
import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { keepSecret, readSmallFile, replacePrivateFile } from '../../../../files/private-file.js';
import { signCertificate } from './certificate.js';
import { certifiable, namesLacking, namesOf } from './machine-names.js';
import type { TlsIdentity } from './tls-identity.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Browsers take no more than 398 days (CA/Browser Forum Baseline Requirements, 6.3.2). */
const VALID_MS = 365 * DAY_MS;
/** A certificate with less than this before it is replaced. */
const LAST_MS = 7 * DAY_MS;
/** Names that a notice lists. */
const MOST_TOLD = 5;

export interface KeptWhere {
  readonly directory: string;
  /** Names and addresses that the certificate must be for. */
  readonly names: readonly string[];
  readonly onNotice?: (line: string) => void;
  readonly platform?: NodeJS.Platform;
  readonly nowMs?: number;
}

/**
 * The key in `directory`, and its certificate. Where the certificate is missing, broken, about to expire, or lacks a name,
 * another one is made of the same key, so that its pin stays; it keeps the names of the last one, for a machine that goes
 * to and fro between networks. CORRUPT and DENIED as `keepSecret`.
 */
export async function loadKeptCertificate(where: KeptWhere): Promise<TlsIdentity> {
  const { directory, names, onNotice, platform = process.platform, nowMs = Date.now() } = where;
  const key = await keepSecret(join(directory, 'tls_key.pem'), KEY, platform);
  const file = join(directory, 'tls_certificate.pem');
  const text = await readSmallFile(file);
  const kept = text === undefined ? undefined : parseCertificate(text);
  const fault = text === undefined ? 'there was none' : faultOf(kept, key, names, nowMs);
  const keyText = key.export({ type: 'pkcs8', format: 'pem' }) as string;
  if (fault === undefined) return { key: keyText, cert: text as string };
  if (text !== undefined) onNotice?.(`certificate ${file}: a new one was made, since ${fault}`);
  const cert = signCertificate(key, {
    names: certifiable([...names, ...(kept?.checkPrivateKey(key) ? namesOf(kept) : [])]),
    // For clients whose clock is behind.
    notBefore: new Date(nowMs - HOUR_MS),
    notAfter: new Date(nowMs + VALID_MS),
  });
  await replacePrivateFile(file, cert);
  return { key: keyText, cert };
}

const KEY = {
  what: 'TLS key',
  make: () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  },
  parse: parseKey,
};

function parseKey(text: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(text);
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : undefined;
  } catch {
    return undefined;
  }
}

function parseCertificate(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text);
  } catch {
    return undefined;
  }
}

/** Why a kept certificate cannot be used any more. */
function faultOf(
  kept: X509Certificate | undefined,
  key: KeyObject,
  names: readonly string[],
  nowMs: number,
): string | undefined {
  if (!kept) return 'what was kept is none';
  if (!kept.checkPrivateKey(key)) return 'the last one was of another key';
  if (Date.parse(kept.validFrom) > nowMs) return 'the last one was not valid yet';
  if (Date.parse(kept.validTo) - nowMs < LAST_MS) return 'the last one was about to expire';
  const lacking = namesLacking(kept, names);
  return lacking.length === 0 ? undefined : `the last one was not for ${lacking.slice(0, MOST_TOLD).join(', ')}`;
}
