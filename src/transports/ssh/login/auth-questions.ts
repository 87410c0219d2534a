/** What a person is asked to log in: a password (RFC 4252, 8), or what the server wants to know (RFC 4256). */
import type { AnyAuthMethod } from 'ssh2';
import { XferError } from '../../../errors.js';
import { printable } from '../../../names.js';
import type { Attempt, AuthRequest } from './auth.js';

const MAX_QUESTIONS = 32;
const MAX_ROUNDS = 32;
const LONGEST_QUESTION = 500;

/** Answers that are used again where a connection is made again, and forgotten where they were wrong. */
class Remembered {
  readonly #request: AuthRequest;
  readonly #used = new Set<string>();

  constructor(request: AuthRequest) {
    this.#request = request;
  }

  /** The one that was typed before, once for a login: whoever comes back for it was refused. */
  take(name: string): string | undefined {
    const { secrets } = this.#request;
    const known = secrets?.get(name);
    if (known === undefined) return undefined;
    if (this.#used.has(name)) {
      secrets?.forget(name);
      return undefined;
    }
    this.#used.add(name);
    return known;
  }

  keep(name: string, secret: string): void {
    this.#used.add(name);
    this.#request.secrets?.keep(name, secret);
  }

  /** None of what was used was right. */
  forget(): void {
    for (const name of this.#used) this.#request.secrets?.forget(name);
  }
}

/** Questions of each method, and whether the person gave up on one. */
export class Questions {
  readonly #request: AuthRequest;
  readonly #remembered: Remembered;
  #gaveUp = false;
  #rounds = 0;

  constructor(request: AuthRequest) {
    this.#request = request;
    this.#remembered = new Remembered(request);
  }

  /** As many attempts as may be asked for, and one for what was typed before. */
  attempts(method: 'password' | 'keyboard-interactive'): Attempt[] {
    const { config, prompt } = this.#request;
    const count = config.batchMode || !prompt ? 0 : config.numberOfPasswordPrompts;
    const attempt: Attempt =
      method === 'password'
        ? { method, label: 'a password', make: () => this.#password() }
        : { method, label: 'answers', make: async () => this.#interactive() };
    return Array.from({ length: count + 1 }, (_, at) => (at === 0 ? this.#onlyKnown(attempt) : attempt));
  }

  /** The login failed with all that was typed. */
  forget(): void {
    this.#remembered.forget();
  }

  /** The first attempt is made only where an answer is known already. */
  #onlyKnown(attempt: Attempt): Attempt {
    const { secrets } = this.#request;
    return {
      ...attempt,
      make: async () => (secrets?.get(this.#name(attempt.method)) === undefined ? undefined : attempt.make()),
    };
  }

  #name(method: string): string {
    const { user, hostName, port } = this.#request.config;
    return `${method} of ${user}@${hostName}:${port}`;
  }

  async #password(): Promise<AnyAuthMethod | undefined> {
    const { config, prompt, scope } = this.#request;
    const name = this.#name('password');
    const known = this.#remembered.take(name);
    if (known !== undefined) return { type: 'password', username: config.user, password: known };
    if (this.#gaveUp || config.batchMode) return undefined;
    const password = await prompt?.secret(printable(`${config.user}@${config.host}'s password: `), scope);
    this.#gaveUp = password === undefined;
    if (password === undefined) return undefined;
    this.#remembered.keep(name, password);
    return { type: 'password', username: config.user, password };
  }

  #interactive(): AnyAuthMethod | undefined {
    if (this.#gaveUp) return undefined;
    return {
      type: 'keyboard-interactive',
      username: this.#request.config.user,
      prompt: (name, instructions, _language, questions, finish) => {
        this.#answer([name, ...instructions.split('\n')], questions).then(finish, this.#request.onFailure);
      },
    };
  }

  async #answer(lines: readonly string[], questions: readonly Question[]): Promise<string[]> {
    const { onNotice, config } = this.#request;
    if (++this.#rounds > MAX_ROUNDS) {
      throw new XferError('PROTOCOL', `log in to ${config.host}: the server asks without end`);
    }
    const isPassword = questions.length === 1 && !questions[0]?.echo && /passw/i.test(questions[0]?.prompt ?? '');
    const name = this.#name('keyboard-interactive');
    const known = isPassword ? this.#remembered.take(name) : undefined;
    if (known !== undefined) return [known];
    for (const line of lines) if (line.trim()) onNotice?.(printable(line.slice(0, LONGEST_QUESTION)));
    const answers: string[] = [];
    for (const question of questions.slice(0, MAX_QUESTIONS)) answers.push(await this.#ask(question));
    const [answer] = answers;
    if (isPassword && answer) this.#remembered.keep(name, answer);
    return answers;
  }

  async #ask(question: Question): Promise<string> {
    const { config, prompt, scope } = this.#request;
    if (this.#gaveUp || config.batchMode || !prompt) return '';
    const text = printable(`(${config.user}@${config.host}) ${question.prompt.slice(0, LONGEST_QUESTION)}`);
    const answer = await (question.echo ? prompt.line(text, scope) : prompt.secret(text, scope));
    this.#gaveUp = answer === undefined;
    return answer ?? '';
  }
}

interface Question {
  readonly prompt: string;
  readonly echo?: boolean;
}
