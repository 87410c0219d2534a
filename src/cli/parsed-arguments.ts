/** What was typed, by the names of the table of options. */
import { LONGEST_TIMER_MS } from '../concurrency/longest-timer.js';
import { XferError } from '../errors.js';
import type { OptionName } from './options.js';

/** Options and operands of one command. */
export class ParsedArguments {
  readonly operands: readonly string[];
  /** A file goes to standard output, so that nothing else may. */
  readonly stdoutTaken: boolean;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #given: readonly string[];

  /** `given` holds the name of each option in the order in which they were typed. */
  constructor(
    values: Readonly<Record<string, unknown>>,
    operands: readonly string[],
    given: readonly string[] = [],
    stdoutTaken: (parsed: ParsedArguments) => boolean = () => false,
  ) {
    this.#values = values;
    this.operands = operands;
    this.#given = given;
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

  /** Which of these options was given last, as the last one counts; undefined where none was. */
  last<Name extends OptionName>(...names: readonly Name[]): Name | undefined {
    return names.find((name) => name === this.#given.findLast((given) => names.some((each) => each === given)));
  }

  /** Whether an option was given that is none of these. */
  hasOthers(...names: readonly OptionName[]): boolean {
    return this.#given.some((given) => !names.some((name) => name === given));
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
    const reason = text.startsWith('-') ? 'not a number of at least 0' : 'not a number';
    throw new XferError('USAGE', `option --${name} ${text}: ${reason}`, { hint: exampleOf(name) });
  }

  /** A number of things. USAGE where it is not whole, or not from `least` to `most`. */
  wholeNumber(name: OptionName, least = 1, most = Number.MAX_SAFE_INTEGER): number | undefined {
    const value = this.number(name);
    if (value === undefined || (Number.isSafeInteger(value) && value >= least && value <= most)) return value;
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new XferError('USAGE', `option --${name} ${value}: not a whole number ${range}`, { hint: exampleOf(name) });
  }

  /** Milliseconds of a number of seconds. USAGE where it is not above 0, or longer than a timer can be. */
  milliseconds(name: OptionName): number | undefined {
    const seconds = this.number(name);
    if (seconds === undefined) return undefined;
    const ms = seconds * 1000;
    if (ms >= 1 && ms <= LONGEST_TIMER_MS) return ms;
    throw new XferError('USAGE', `option --${name} ${seconds}: not a time from 0.001 s to 24 days`, {
      hint: `as in --${name} 30, in seconds`,
    });
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

function exampleOf(name: OptionName): string {
  return `as in --${name} 5`;
}
