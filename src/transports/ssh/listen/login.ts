/** How a client proves who it is: a password or a key, a few tries, and never nobody. */
import type { AuthContext, Connection, PasswordAuthContext, PublicKeyAuthContext } from 'ssh2';
import type { Accounts } from '../../../listening/accounts.js';
import type { LoginRecord } from './access-log.js';
import type { Place } from './admission.js';
import type { AuthorizedKeys } from './authorized-keys.js';

type Method = 'password' | 'publickey';

export interface LoginOptions {
  readonly client: Connection;
  readonly accounts: Accounts;
  readonly keys: AuthorizedKeys | undefined;
  readonly place: Place;
  readonly tries: number;
  readonly onLogin: (login: Pick<LoginRecord, 'user' | 'method' | 'accepted'>) => void;
}

/** Answers a client's tries until it is in or has none left, when its connection is ended. */
export function watchLogin(options: LoginOptions): void {
  const { client, accounts, keys, place, onLogin } = options;
  const methods: Method[] = [
    ...(keys ? ['publickey' as const] : []),
    ...(accounts.size > 0 ? ['password' as const] : []),
  ];
  // What only asks which methods there are is no try, but it is not asked for ever.
  let left = { tries: options.tries, questions: options.tries };
  const refuse = (context: AuthContext): void => {
    if (left.tries > 0 && left.questions > 0) context.reject(methods);
    else client.end();
  };
  const accept = (context: AuthContext, method: Method): void => {
    place.loggedIn();
    onLogin({ user: context.username, method, accepted: true });
    context.accept();
  };
  let gone = false;
  client.once('close', () => {
    gone = true;
  });
  const tryPassword = async (context: PasswordAuthContext): Promise<void> => {
    if (left.tries <= 0) return void client.end();
    // Before the wait: what is sent meanwhile counts as well.
    left = { ...left, tries: left.tries - 1 };
    const right = await accounts.check(context.username, context.password, () => !gone).catch(() => false);
    if (gone) return;
    if (right) return accept(context, 'password');
    onLogin({ user: context.username, method: 'password', accepted: false });
    place.wrongPassword(() => refuse(context));
  };
  client.on('authentication', (context) => {
    if (context.method === 'password' && accounts.size > 0) return void tryPassword(context);
    if (context.method === 'publickey' && keys) {
      const verdict = judgeKey(context, keys);
      if (verdict === 'signed') return accept(context, 'publickey');
      if (verdict === 'known' && left.questions-- > 0) return context.accept();
      left = { ...left, tries: left.tries - 1 };
      return refuse(context);
    }
    left = { ...left, questions: left.questions - 1 };
    refuse(context);
  });
}

/** 'known': the client only asks whether the key would do. A signature by SHA-1 is never taken. */
function judgeKey(context: PublicKeyAuthContext, keys: AuthorizedKeys): 'signed' | 'known' | 'no' {
  const key = keys.find(context.key.data);
  if (!key || key.type !== context.key.algo) return 'no';
  if (key.type === 'ssh-rsa' && context.hashAlgo === undefined) return 'no';
  if (!context.signature) return 'known';
  if (!context.blob) return 'no';
  return key.verify(context.blob, context.signature, context.hashAlgo) === true ? 'signed' : 'no';
}
