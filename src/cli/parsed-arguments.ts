/** What was typed, by the names of the table of options. */
import { XferError } from '../errors.js';
import type { OptionName } from './options.js';

/** Options and operands of one command. */
export class ParsedArguments {
  readonly operands: readonly string[];
  /** A file goes to standard output, so that nothing else may. */
  readonly stdoutTaken: boolean;
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(
    values: Readonly<Record<string, unknown>>,
    operands: readonly string[],
    stdoutTaken: (parsed: ParsedArguments) => boolean = () => false,
  ) {
    this.#values = values;
    this.operands = operands;
    this.stdoutTaken = stdoutTaken(this);
  }

  flag(name: OptionName): boolean {
    return this.count(name) > 0;
  }

  /** How often it was given. */
  count(name: OptionName): number {
    const value = this.#last(name);
    return typeof value === 'number' ? value : value === true ? 1 : 0;
  }

  text(name: OptionName): string | undefined {
    const value = this.#last(name);
    return typeof value === 'string' ? value : undefined;
  }

  /** A number that is not negative. USAGE where something else was typed. */
  number(name: OptionName): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isFinite(value)) return value;
    throw new XferError('USAGE', `option --${name} ${text}: not a number`);
  }

  /** A number of things, at least one. USAGE where something else was typed. */
  wholeNumber(name: OptionName): number | undefined {
    const value = this.number(name);
    if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return value;
    throw new XferError('USAGE', `option --${name} ${value}: not a whole number of at least 1`);
  }

  list(name: OptionName): readonly string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
  }

  #last(name: OptionName): unknown {
    const value = this.#values[name];
    return Array.isArray(value) ? value.at(-1) : value;
  }
}
