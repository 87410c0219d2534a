/** Words of one command -> its options and operands, and its `--help`. yargs reads the table of options. */
import yargs, { type Argv, type Options as YargsOption } from 'yargs';
import { XferError } from '../errors.js';
import { type SpellingRules, spellOut } from './arguments.js';
import type { Command } from './command.js';
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

function yargsOption(option: Option): YargsOption {
  const shown = {
    description: option.argument === undefined ? option.description : `<${option.argument}> ${option.description}`,
    group: option.group,
    ...(option.alias === undefined ? {} : { alias: option.alias }),
    ...(option.choices === undefined ? {} : { choices: option.choices }),
  };
  if (option.type === 'flag') return { ...shown, type: 'boolean' };
  if (option.type === 'count') return { ...shown, type: 'count' };
  const text = { ...shown, type: 'string', requiresArg: true } as const;
  return option.type === 'list' ? { ...text, array: true } : text;
}

function parserOf(command: Command, words: readonly string[]): Argv {
  const parser = yargs([...words])
    .scriptName('xfer')
    .locale('en')
    .usage(`xfer ${command.name} ${command.usage}\n\n${command.summary}`)
    .parserConfiguration(PARSER_CONFIGURATION)
    .help(false)
    .version(false)
    .exitProcess(false)
    .strictOptions()
    .fail((message, error) => {
      throw error ?? new XferError('USAGE', message, { hint: `xfer ${command.name} --help` });
    });
  for (const option of optionsOf(command.name)) parser.option(option.name, yargsOption(option));
  return parser;
}

/** The kinds that yargs writes behind each option; the argument's name says more. */
const KINDS = /(?:\n *| +)\[(?:boolean|string|array|count|choices:[^\]]*)\]/g;

/** The text of `xfer <command> --help`, for a terminal of that many columns. */
export async function commandHelp(command: Command, columns: number): Promise<string> {
  const examples = command.examples.map(([line, meaning]) => `  ${line}\n      ${meaning}\n`).join('');
  const help = await parserOf(command, []).wrap(Math.min(columns, 110)).getHelp();
  return `${examples}\n${help.replace(KINDS, '').trimEnd()}\n`;
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
  const values = parserOf(command, options).parseSync() as Record<string, unknown>;
  for (const option of rules.options) refuse(option, values);
  checkOperands(command, operands);
  return new ParsedArguments(values, operands, command.stdoutTaken);
}

function refuse(option: Option, values: Record<string, unknown>): void {
  if (option.refused === undefined || values[option.name] === undefined) return;
  throw new XferError('UNSUPPORTED', `option ${spelling(option)}: ${option.description}`, { hint: 'leave it out' });
}

function checkOperands(command: Command, operands: readonly string[]): void {
  const [least, most] = command.operands;
  if (operands.length < least) {
    throw new XferError('USAGE', command.missing.message, { hint: command.missing.hint });
  }
  if (operands.length <= most) return;
  throw new XferError('USAGE', `${command.name} ${operands[most]}: one operand too many`, {
    hint: `xfer ${command.name} ${command.usage}`,
  });
}
