/** `xfer serve --hash-password NAME`: a line for a file of accounts, that does not give its password away. */
import { createInterface } from 'node:readline';
import { XferError } from '../../errors.js';
import { hashPassword } from '../../listening/password.js';
import { createPrompt } from '../prompt.js';
import type { Surroundings } from '../surroundings.js';

/**
 * Asks for the password twice, on the terminal, or reads it as the first line of what is no terminal, and prints
 * `NAME:HASH`. USAGE where a name or a password is empty, or the two answers are not the same.
 */
export async function printHashedAccount(name: string, around: Surroundings): Promise<void> {
  if (name === '' || /[:\r\n]/.test(name) || name.startsWith('#')) {
    throw new XferError('USAGE', `option --hash-password ${name}: not a name`, { hint: '--hash-password anna' });
  }
  const password = await (around.stdin.isTTY ? askTwice(name, around) : firstLine(around));
  if (password === '') throw new XferError('USAGE', `account ${name}: its password is empty`);
  around.stdout.write(`${name}:${await hashPassword(password)}\n`);
}

async function askTwice(name: string, around: Surroundings): Promise<string> {
  const prompt = createPrompt(around);
  const scope = { signal: around.signal };
  const first = await prompt.secret(`Password of ${name}: `, scope);
  const second = first ? await prompt.secret('Again: ', scope) : first;
  if (first === second) return first ?? '';
  throw new XferError('USAGE', `account ${name}: the two passwords are not the same`);
}

async function firstLine({ stdin }: Surroundings): Promise<string> {
  for await (const line of createInterface({ input: stdin })) return line;
  return '';
}
