/** Whether what a connection is told can be done: a program may give values that no type keeps out, as NaN. */
import { isIP } from 'node:net';
import { timerMs } from '../../concurrency/longest-timer.js';
import { XferError } from '../../errors.js';
import { checkPort } from '../../location.js';
import { checkKinds, type Kinds, oneOf, TEXTS } from '../../option-rules.js';
import type { TcpOptions } from './options.js';

const KINDS: Kinds<TcpOptions> = { family: oneOf(4, 6), allow: TEXTS };

const TIMES = ['connectTimeoutMs', 'idleTimeoutMs', 'finTimeoutMs', 'finishIdleMs'] as const;

/** USAGE for the first option that cannot be followed. */
export function checkTcpOptions(options: TcpOptions): void {
  checkKinds('tcp', options, KINDS);
  for (const name of TIMES) {
    const ms = options[name];
    // Not to wait for the other end's last word is a way to end; no time at all for anything else is none.
    if (ms !== undefined && !(name === 'finTimeoutMs' && ms === 0)) timerMs(name, ms);
  }
  const { localAddress, localPort, expectedBytes, expectedSha256 } = options;
  if (localAddress !== undefined && isIP(localAddress) === 0) {
    throw refusal(`source address ${localAddress}`, 'not an IP address', 'as in 192.0.2.5 or fd00::5');
  }
  if (localPort !== undefined) checkPort(localPort);
  if (expectedBytes !== undefined && !(Number.isSafeInteger(expectedBytes) && expectedBytes >= 0)) {
    throw refusal(`option expectedBytes ${expectedBytes}`, 'not a number of bytes');
  }
  if (expectedSha256 !== undefined && !/^[0-9a-f]{64}$/.test(expectedSha256)) {
    throw refusal(`option expectedSha256 ${expectedSha256}`, 'not 64 hex digits in lower case');
  }
}

function refusal(what: string, reason: string, hint?: string): XferError {
  return new XferError('USAGE', `${what}: ${reason}`, { hint });
}
