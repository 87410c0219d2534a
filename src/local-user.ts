/** Who runs xfer here. A container may run it under a number that no account has. */
import { homedir, userInfo } from 'node:os';

type Environment = Readonly<Record<string, string | undefined>>;

/** The account's name, else what LOGNAME, USER or, on Windows, USERNAME says; empty where nothing does. */
export function localUserName(environment: Environment, accountName = () => userInfo().username): string {
  try {
    return accountName();
  } catch {
    return environment.LOGNAME || environment.USER || environment.USERNAME || '';
  }
}

/** The home directory; `/`, as container runtimes have it, where neither HOME nor an account names one. */
export function homeDirectory(accountHome = homedir): string {
  try {
    return accountHome();
  } catch {
    return '/';
  }
}
