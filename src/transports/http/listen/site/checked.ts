/** A value of a configuration file, looked at together with where it stands in it. */
import { XferError } from '../../../../errors.js';

/** Each look throws USAGE, which names the file and the key, where the value is of another kind. */
export class Checked {
  readonly value: unknown;
  readonly #where: string;

  /** `where`: the file, or the file and the key, as in `serve.json: redirects[2].type`. */
  constructor(value: unknown, where: string) {
    this.value = value;
    this.#where = where;
  }

  /** The error that says what is wrong with it. */
  wrong(reason: string): XferError {
    return new XferError('USAGE', `${this.#where}: ${reason}`);
  }

  /** That it is an object with none but these keys. */
  object(known: readonly string[]): void {
    const { value } = this;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.wrong('must be an object');
    const other = Object.keys(value).find((key) => !known.includes(key));
    if (other !== undefined) {
      throw new XferError('USAGE', `${this.#where}: unknown key ${other}`, { hint: `known keys: ${known.join(', ')}` });
    }
  }

  /** What an object has under `key`. */
  at(key: string): Checked | undefined {
    const value = Object.getOwnPropertyDescriptor(this.value, key)?.value as unknown;
    return value === undefined ? undefined : new Checked(value, this.#join(key));
  }

  need(key: string): Checked {
    const found = this.at(key);
    if (found) return found;
    throw new Checked(undefined, this.#join(key)).wrong('is missing');
  }

  list(most: number): Checked[] {
    if (!Array.isArray(this.value)) throw this.wrong('must be a list');
    if (this.value.length > most) throw this.wrong(`more than ${most} of them`);
    return this.value.map((value, index) => new Checked(value, `${this.#where}[${index}]`));
  }

  text(longest: number): string {
    if (typeof this.value !== 'string') throw this.wrong('must be text');
    if (this.value.length > longest) throw this.wrong(`longer than ${longest} characters`);
    return this.value;
  }

  boolean(): boolean {
    if (typeof this.value !== 'boolean') throw this.wrong('must be true or false');
    return this.value;
  }

  map<T>(use: (one: Checked) => T): T {
    return use(this);
  }

  #join(key: string): string {
    return this.#where.includes(': ') ? `${this.#where}.${key}` : `${this.#where}: ${key}`;
  }
}
