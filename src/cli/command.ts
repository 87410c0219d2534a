/** What a file in `commands/` gives: its words for `--help`, and what it does. */
import type { CommandName, OptionName } from './options.js';
import type { ParsedArguments } from './parsed-arguments.js';
import type { Surroundings } from './surroundings.js';

/** Words for what cannot be done as it was typed. */
export interface Refusal {
  readonly message: string;
  readonly hint: string;
}

export interface Command {
  readonly name: CommandName;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What follows `xfer <name>`, as in `[options] source... target`. */
  readonly usage: string;
  /** The three commonest lines, shown before all else in `--help`. */
  readonly examples: readonly (readonly [line: string, meaning: string])[];
  /** Fewest and most operands. */
  readonly operands: readonly [least: number, most: number];
  /** Options that take the place of the first operand. */
  readonly inPlaceOfFirst?: readonly OptionName[];
  /** What is said where an operand is missing. */
  readonly missing: Refusal;
  /** The same with `-l`, where that asks for another one. */
  readonly missingPort?: Refusal;
  /** What to type in place of operands that are too many; undefined where only the usage says it. */
  readonly hintTooMany?: (operands: readonly string[]) => string | undefined;
  /** The first operand ends the options. */
  readonly operandEndsOptions?: boolean;
  /** Whether a file goes to standard output, so that nothing else may. */
  readonly stdoutTaken?: (parsed: ParsedArguments) => boolean;
  /** Resolves when all is done; rejects with an XferError, or with the signal's reason. */
  run(parsed: ParsedArguments, around: Surroundings): Promise<void>;
}
