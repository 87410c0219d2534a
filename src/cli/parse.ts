/** Words of one command -> its options and operands, typed by the parser of yargs as the table of options says. */
import parser from 'yargs-parser';
import { XferError } from '../errors.js';
import { type SpellingRules, spellOut } from './arguments.js';
import type { Command } from './command.js';
import { nearest } from './nearest.js';
import { type Option, optionsOf, spelling } from './options.js';
import { ParsedArguments } from './parsed-arguments.js';

const PARSER_CONFIGURATION = {
  'boolean-negation': false,
  'camel-case-expansion': false,
  'dot-notation': false,
  'duplicate-arguments-array': true,
  'greedy-arrays': false,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'short-option-groups': false,
};

/**
 * Each option that was given, by its name, as the type in the table; what was given several times is an array. USAGE where
 * a value is empty that may not be, or where the last one, which counts, is not one of its choices.
 */
function typedValues(words: readonly string[], options: readonly Option[]): Record<string, unknown> {
  for (const option of options) checkNotEmpty(option, words);
  const named = (...types: Option['type'][]) =>
    options.filter(({ type }) => types.includes(type)).map(({ name }) => name);
  const { _: _operands, ...values } = parser([...words], {
    boolean: named('flag'),
    count: named('count'),
    array: named('list'),
    string: named('text', 'number', 'list'),
    configuration: PARSER_CONFIGURATION,
  });
  for (const { name, choices } of options) {
    const value: unknown = [values[name]].flat().at(-1);
    if (!choices || value === undefined || choices.includes(String(value))) continue;
    throw new XferError('USAGE', `option --${name}: ${value || "''"} is none of ${choices.join(', ')}`, {
      hint: `as in --${name} ${nearest(String(value), choices) ?? choices[0]}`,
    });
  }
  return values;
}

/** An empty `--allow` or `--auth` would be none at all to the parser, and let everybody in. */
function checkNotEmpty({ name, argument, choices, mayBeEmpty }: Option, words: readonly string[]): void {
  if (mayBeEmpty || choices || !words.includes(`--${name}=`)) return;
  throw new XferError('USAGE', `option --${name}: its value is empty`, {
    hint: `write it as --${name} ${argument?.toUpperCase()}, or leave it out`,
  });
}

/**
 * USAGE where the words do not fit the command; UNSUPPORTED where an option is known and refused. With `--help` or `--version` neither
 * the operands nor the values of other options are looked at.
 */
export function parseArguments(command: Command, words: readonly string[]): ParsedArguments {
  const rules: SpellingRules = {
    command: command.name,
    options: optionsOf(command.name),
    operandEndsOptions: command.operandEndsOptions ?? false,
  };
  const { options, operands } = spellOut(words, rules);
  for (const name of ['help', 'version']) {
    if (options.includes(`--${name}`)) return new ParsedArguments({ [name]: true }, operands);
  }
  const values = typedValues(options, rules.options);
  for (const option of rules.options) refuse(option, values);
  const given = options.map((word) => word.slice(2).split('=', 1)[0] as string);
  checkOperands(command, operands, given);
  return new ParsedArguments(values, operands, given, command.stdoutTaken);
}

function refuse(option: Option, values: Record<string, unknown>): void {
  if (option.refused === undefined || values[option.name] === undefined) return;
  throw new XferError('UNSUPPORTED', `option ${spelling(option)}: ${option.description}`, { hint: 'leave it out' });
}

function checkOperands(command: Command, operands: readonly string[], given: readonly string[]): void {
  const [least, most] = command.operands;
  const empty = operands.indexOf('');
  if (empty !== -1) {
    const which = operands.length === 1 ? 'the operand' : `operand ${empty + 1} of ${operands.length}`;
    throw new XferError('USAGE', `${command.name}: ${which} is empty`, {
      hint: `is a variable not set? ${command.missing.hint}`,
    });
  }
  const isNamedElse = command.inPlaceOfFirst?.some((name) => given.includes(name)) === true;
  if (operands.length < (isNamedElse ? least - 1 : least)) {
    const { message, hint } = (given.includes('listen') && command.missingPort) || command.missing;
    throw new XferError('USAGE', message, { hint });
  }
  if (operands.length <= most) return;
  throw new XferError('USAGE', `${command.name} ${operands[most]}: one operand too many`, {
    hint: command.hintTooMany?.(operands) ?? `xfer ${command.name} ${command.usage}`,
  });
}
