/** The accounts that `xfer serve` is told of, for each protocol. */
import { XferError } from '../../errors.js';
import { readNamedFile } from '../../files/named-file.js';
import { type Account, parseAccount, parseAccounts } from '../../listening/accounts.js';
import type { ParsedArguments } from '../parsed-arguments.js';

const MOST_FILE_BYTES = 1 << 20;

/** Those of `--auth` and `--auth-file`; none where neither is given. USAGE for what is no account; the file's errors. */
export async function readAccounts(parsed: ParsedArguments): Promise<readonly Account[]> {
  const accounts = parsed.list('auth').map(parseAccount);
  const file = parsed.text('auth-file');
  if (file === undefined) return accounts;
  const inFile = parseAccounts(await readNamedFile(file, MOST_FILE_BYTES, 'accounts'), file);
  if (inFile.length === 0)
    throw new XferError('USAGE', `accounts ${file}: none is in it`, {
      hint: 'xfer serve --hash-password NAME makes a line for it',
    });
  return [...accounts, ...inFile];
}
