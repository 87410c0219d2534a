/**
 * What the person typed, in memory for one run alone, so that a connection that is made again asks nothing twice. What was
 * refused is forgotten.
 */
export class Secrets {
  readonly #typed = new Map<string, string>();

  /** `name` says what the secret opens, such as a user and a host, or a file. */
  get(name: string): string | undefined {
    return this.#typed.get(name);
  }

  keep(name: string, secret: string): void {
    this.#typed.set(name, secret);
  }

  forget(name: string): void {
    this.#typed.delete(name);
  }
}

const secrets = new WeakMap<object, Secrets>();

/** Those of a run, which is known by its options object. */
export function secretsOf(options: object): Secrets {
  const there = secrets.get(options) ?? new Secrets();
  secrets.set(options, there);
  return there;
}
