/** Who runs xfer here. A container may run it under a number that no account has. */
import { homedir, userInfo } from 'node:os';
import { isAbsolute } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** The account's name, else what LOGNAME, USER or, on Windows, USERNAME says; empty where nothing does. */
export function localUserName(environment: Environment, accountName = () => userInfo().username): string {
  try {
    return accountName();
  } catch {
    return environment.LOGNAME || environment.USER || environment.USERNAME || '';
  }
}

/**
 * The home directory: what HOME or, on Windows, USERPROFILE says, else the account's, where that is empty or relative; keys
 * would be in whatever directory is the current one. `/`, as container runtimes have it, where neither names one.
 */
export function homeDirectory(environmentHome = homedir, accountHome = () => userInfo().homedir): string {
  for (const ask of [environmentHome, accountHome]) {
    try {
      const home = ask();
      if (isAbsolute(home)) return home;
    } catch {
      // A number that no account has.
    }
  }
  return '/';
}
