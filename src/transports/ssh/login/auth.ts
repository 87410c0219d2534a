/** Logs in: which method is tried when (RFC 4252). */
import type { AnyAuthMethod, AuthHandlerMiddleware } from 'ssh2';
import { XferError } from '../../../errors.js';
import type { Prompt, Scope } from '../../../transport.js';
import { SYSTEM_SSH_HINT } from '../carriers/connection-error.js';
import type { SshConfig } from '../config/config.js';
import { keyAttempts } from './auth-keys.js';
import { Questions } from './auth-questions.js';
import type { Secrets } from './secrets.js';

export interface AuthRequest {
  readonly config: SshConfig;
  readonly prompt?: Prompt | undefined;
  readonly onNotice?: ((line: string) => void) | undefined;
  /** What was typed for an earlier connection of the same run. */
  readonly secrets?: Secrets | undefined;
  readonly scope: Scope;
  readonly environment?: NodeJS.ProcessEnv | undefined;
  readonly platform?: NodeJS.Platform | undefined;
  /** A failure that ends the login, such as an aborted question. */
  readonly onFailure: (error: unknown) => void;
}

/** One thing to try. `method` is the server's name for it; `make` gives undefined where there is nothing to try after all. */
export interface Attempt {
  readonly method: string;
  readonly label: string;
  make(): Promise<AnyAuthMethod | undefined>;
}

/** Attempts that are known only when their turn comes. */
interface Attempts {
  readonly method: string;
  list(): Promise<Attempt[]>;
}

export interface Authentication {
  readonly next: AuthHandlerMiddleware;
  /** The error of a login that failed: DENIED, with what was tried. */
  failure(): XferError;
}

/**
 * In the configuration's order the keys, keyboard-interactive and passwords: each once, and only what the server still takes,
 * so that a second factor comes after the first. "none", which asks what that is, comes before the first question to a person,
 * or first of all where keys do not: a key that is taken saves its round trip. Nothing is asked with BatchMode or without a
 * prompt.
 */
export function authenticate(request: AuthRequest): Authentication {
  const login = new Login(request);
  return {
    // `false` ends the login, which the types of the middleware leave out.
    next: (methods, _partial, next) => {
      login.choose(methods).then(next as (choice: AnyAuthMethod | false) => void, request.onFailure);
    },
    failure: () => login.failure(),
  };
}

class Login {
  readonly #request: AuthRequest;
  readonly #questions: Questions;
  readonly #left: (Attempt | Attempts)[];
  readonly #tried = new Set<string>();
  readonly #missing: string[] = [];
  #allowed: readonly string[] = [];
  #signed = false;
  #needsSystem = false;

  constructor(request: AuthRequest) {
    this.#request = request;
    this.#questions = new Questions(request);
    const list = () =>
      keyAttempts(request, {
        onSign: () => {
          this.#signed = true;
        },
        onUnusable: () => {
          this.#needsSystem = true;
        },
        onMissing: (file) => this.#missing.push(file),
      });
    const ordered = request.config.authenticationMethods.flatMap((method): (Attempt | Attempts)[] =>
      method === 'publickey' ? [{ method, list }] : this.#questions.attempts(method),
    );
    const keysFirst = ordered[0]?.method === 'publickey' ? 1 : 0;
    this.#left = [...ordered.slice(0, keysFirst), this.#none, ...ordered.slice(keysFirst)];
  }

  /** Shows what the server takes. */
  get #none(): Attempt {
    const { user } = this.#request.config;
    return { method: 'none', label: 'none', make: async () => ({ type: 'none', username: user }) };
  }

  async choose(methods: readonly string[] | null): Promise<AnyAuthMethod | false> {
    if (this.#signed) {
      // ssh2 keeps to itself what a server still takes after an agent's signature, and a further factor may be due.
      this.#signed = false;
      this.#left.unshift(this.#none);
    }
    this.#allowed = methods ?? this.#allowed;
    for (;;) {
      const mayTry = (method: string) => method === 'none' || (methods ?? ['publickey']).includes(method);
      const at = this.#left.findIndex(({ method }) => mayTry(method));
      const [attempt] = at < 0 ? [] : this.#left.splice(at, 1);
      if (!attempt) return false;
      if ('list' in attempt) {
        this.#left.splice(at, 0, ...(await attempt.list()));
        continue;
      }
      const made = await attempt.make();
      this.#request.scope.signal.throwIfAborted();
      if (!made) continue;
      if (attempt.method !== 'none') this.#tried.add(attempt.label);
      return made;
    }
  }

  failure(): XferError {
    this.#questions.forget();
    const { host, user } = this.#request.config;
    const { length } = this.#allowed;
    const missing = this.#missing.length === 0 ? '' : `; no key in ${this.#missing.join(', ')}`;
    const taken = length === 0 ? '' : `; the server takes ${this.#allowed.join(', ')}`;
    const what = this.#tried.size === 0 ? 'nothing could be tried' : `tried ${[...this.#tried].join(', ')}`;
    const needsSystem = this.#needsSystem || (length > 0 && !this.#allowed.some((method) => KNOWN_METHODS.has(method)));
    return new XferError('DENIED', `log in to ${host} as ${user}: permission denied (${what}${missing}${taken})`, {
      hint: needsSystem
        ? `for certificates, FIDO keys and GSSAPI ${SYSTEM_SSH_HINT}`
        : 'name a key with -i, add one to the agent with ssh-add, or name the user: user@host',
    });
  }
}

const KNOWN_METHODS = new Set(['publickey', 'keyboard-interactive', 'password']);
