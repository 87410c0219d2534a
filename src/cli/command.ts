/** What a file in `commands/` gives: its words for `--help`, and what it does. */
import type { CommandName, OptionName } from './options.js';
import type { ParsedArguments } from './parsed-arguments.js';
import type { Surroundings } from './surroundings.js';

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
  readonly missing: { readonly message: string; readonly hint: string };
  /** The first operand ends the options. */
  readonly operandEndsOptions?: boolean;
  /** Whether a file goes to standard output, so that nothing else may. */
  readonly stdoutTaken?: (parsed: ParsedArguments) => boolean;
  /** Resolves when all is done; rejects with an XferError, or with the signal's reason. */
  run(parsed: ParsedArguments, around: Surroundings): Promise<void>;
}
