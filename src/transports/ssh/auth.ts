/** Logs in: which method is tried when (RFC 4252), and what a person is asked. */
import { readFile } from 'node:fs/promises';
import ssh2, { type AnyAuthMethod, type AuthHandlerMiddleware, type BaseAgent, type IdentityCallback } from 'ssh2';
import { XferError } from '../../errors.js';
import { printable } from '../../names.js';
import type { Prompt, Scope } from '../../transport.js';
import type { SshConfig } from './config.js';
import { loadIdentity } from './identity.js';

export interface AuthRequest {
  readonly config: SshConfig;
  readonly prompt?: Prompt | undefined;
  readonly onNotice?: ((line: string) => void) | undefined;
  readonly scope: Scope;
  readonly environment?: NodeJS.ProcessEnv | undefined;
  readonly platform?: NodeJS.Platform | undefined;
  /** A failure that ends the login, such as an aborted question. */
  readonly onFailure: (error: unknown) => void;
}

/** One thing to try. `method` is the server's name for it; `make` gives undefined where there is nothing to try after all. */
interface Attempt {
  readonly method: string;
  readonly label: string;
  make(): Promise<AnyAuthMethod | undefined>;
}

export interface Authentication {
  readonly next: AuthHandlerMiddleware;
  /** The error of a login that failed: DENIED, with what was tried. */
  failure(): XferError;
}

/**
 * none, then in the configuration's order the agent's keys and identity files, keyboard-interactive and passwords: each
 * once, and only what the server still takes, so that a second factor comes after the first. Nothing is asked with
 * BatchMode or without a prompt.
 */
export function authenticate(request: AuthRequest): Authentication {
  const { config } = request;
  const attempts = listAttempts(request);
  const tried: string[] = [];
  let allowed: readonly string[] = [];
  const choose = async (methods: readonly string[] | null): Promise<AnyAuthMethod | false> => {
    allowed = methods ?? allowed;
    for (;;) {
      const at = attempts.findIndex(({ method }) => methods === null || method === 'none' || methods.includes(method));
      const [attempt] = at < 0 ? [] : attempts.splice(at, 1);
      if (!attempt) return false;
      const made = await attempt.make();
      request.scope.signal.throwIfAborted();
      if (!made) continue;
      if (attempt.method !== 'none') tried.push(attempt.label);
      return made;
    }
  };
  return {
    // `false` ends the login, which the types of the middleware leave out.
    next: (methods, _partial, next) => {
      choose(methods).then(next as (choice: AnyAuthMethod | false) => void, request.onFailure);
    },
    failure: () => {
      const taken = allowed.length === 0 ? '' : `; the server takes ${allowed.join(', ')}`;
      const what = tried.length === 0 ? 'nothing could be tried' : `tried ${[...new Set(tried)].join(', ')}`;
      return new XferError(
        'DENIED',
        `log in to ${config.host} as ${config.user}: permission denied (${what}${taken})`,
        {
          hint: 'name a key with -i, add one to the agent with ssh-add, or name the user: user@host',
        },
      );
    },
  };
}

/** In the order of PreferredAuthentications, after `none`. */
function listAttempts(request: AuthRequest): Attempt[] {
  const { config } = request;
  const asking = config.batchMode ? 0 : request.prompt ? config.numberOfPasswordPrompts : 0;
  const gaveUp = { yes: false };
  const asked = (attempt: Attempt) => Array.from({ length: asking }, () => attempt);
  const answers = async () => askedAttempt(request, gaveUp);
  const password = () => passwordAttempt(request, gaveUp);
  const none: Attempt = { method: 'none', label: 'none', make: async () => ({ type: 'none', username: config.user }) };
  return [
    none,
    ...config.authenticationMethods.flatMap((method): Attempt[] => {
      if (method === 'publickey') return keyAttempts(request);
      if (method === 'password') return asked({ method, label: 'a password', make: password });
      return asked({ method, label: 'answers', make: answers });
    }),
  ];
}

function keyAttempts(request: AuthRequest): Attempt[] {
  const method = 'publickey';
  const files = request.config.identityFiles.map((file) => {
    return { method, label: `key ${file}`, make: () => keyAttempt(request, file) };
  });
  return [{ method, label: 'the agent', make: () => agentAttempt(request) }, ...files];
}

async function keyAttempt(request: AuthRequest, file: string): Promise<AnyAuthMethod | undefined> {
  const { config, prompt, onNotice, scope, platform } = request;
  const key = await loadIdentity({
    file,
    prompt: config.batchMode ? undefined : prompt,
    onNotice,
    passphraseTries: config.numberOfPasswordPrompts,
    scope,
    ...(platform ? { platform } : {}),
  });
  return key && { type: 'publickey', username: config.user, key };
}

/** Where the agent listens: IdentityAgent, SSH_AUTH_SOCK, or Windows' own pipe. */
export function agentPath(request: Pick<AuthRequest, 'config' | 'environment' | 'platform'>): string | undefined {
  const { config, environment = process.env, platform = process.platform } = request;
  const set = config.identityAgent;
  if (set?.toLowerCase() === 'none') return undefined;
  if (set !== undefined && set !== 'SSH_AUTH_SOCK') return set;
  return environment.SSH_AUTH_SOCK || (platform === 'win32' ? '\\\\.\\pipe\\openssh-ssh-agent' : undefined);
}

async function agentAttempt(request: AuthRequest): Promise<AnyAuthMethod | undefined> {
  const { config } = request;
  const path = agentPath(request);
  if (path === undefined) return undefined;
  const agent = ssh2.createAgent(path);
  const keys = await agentKeys(agent);
  const wanted = config.identitiesOnly ? await publicKeys(config.identityFiles) : undefined;
  const usable = wanted ? keys.filter((key) => wanted.has(key.getPublicSSH().toString('base64'))) : keys;
  if (usable.length === 0) return undefined;
  const limited = Object.create(agent) as BaseAgent;
  limited.getIdentities = (done: IdentityCallback) => done(undefined, usable);
  return { type: 'agent', username: config.user, agent: limited };
}

type AgentKey = Exclude<ReturnType<typeof ssh2.utils.parseKey>, Error>;

/** What the agent holds and this side can use; nothing where no agent answers. */
function agentKeys(agent: BaseAgent): Promise<AgentKey[]> {
  return new Promise((resolve) => {
    agent.getIdentities((error, keys) => {
      const parsed = (error ? [] : (keys ?? [])).map((key) => ssh2.utils.parseKey(key as Buffer));
      resolve(parsed.filter((key): key is AgentKey => !(key instanceof Error)));
    });
  });
}

/** Of IdentitiesOnly: the keys that the files name, by their public halves. */
async function publicKeys(files: readonly string[]): Promise<Set<string>> {
  const texts = await Promise.all(files.map((file) => readFile(`${file}.pub`, 'utf8').catch(() => '')));
  return new Set(texts.map((text) => text.trim().split(/\s+/)[1] ?? ''));
}

async function passwordAttempt(request: AuthRequest, gaveUp: { yes: boolean }): Promise<AnyAuthMethod | undefined> {
  const { config, prompt, scope } = request;
  if (gaveUp.yes) return undefined;
  const password = await prompt?.secret(printable(`${config.user}@${config.host}'s password: `), scope);
  gaveUp.yes = password === undefined;
  return password === undefined ? undefined : { type: 'password', username: config.user, password };
}

const MAX_QUESTIONS = 32;

function askedAttempt(request: AuthRequest, gaveUp: { yes: boolean }): AnyAuthMethod | undefined {
  const { config, prompt, scope, onNotice, onFailure } = request;
  if (gaveUp.yes || !prompt) return undefined;
  const ask = async (name: string, instructions: string, questions: readonly { prompt: string; echo?: boolean }[]) => {
    for (const line of [name, ...instructions.split('\n')]) if (line.trim()) onNotice?.(printable(line.slice(0, 500)));
    const answers: string[] = [];
    for (const question of questions.slice(0, MAX_QUESTIONS)) {
      const text = printable(`(${config.user}@${config.host}) ${question.prompt.slice(0, 500)}`);
      const answer = gaveUp.yes ? '' : await (question.echo ? prompt.line(text, scope) : prompt.secret(text, scope));
      gaveUp.yes ||= answer === undefined;
      answers.push(answer ?? '');
    }
    return answers;
  };
  return {
    type: 'keyboard-interactive',
    username: config.user,
    prompt: (name, instructions, _language, questions, finish) => {
      ask(name, instructions, questions).then(finish, onFailure);
    },
  };
}
