/** The page of `xfer <command> --help`, by yargs, which is loaded for it alone: it takes longer than a small copy. */
import yargs, { type Argv, type Options as YargsOption } from 'yargs';
import type { Command } from './command.js';
import { type Option, optionsOf } from './options.js';

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

/** The kinds that yargs writes behind each option; the argument's name says more. */
const KINDS = /(?:\n *| *)\[(?:boolean|string|array|count|choices:[^\]]*)\]/g;

/** A directory that is always there: yargs would ask for the current one, which may have been removed. */
const ROOT = '/';

function pageOf(command: Command): Argv {
  const page = yargs([], ROOT)
    .scriptName('xfer')
    .locale('en')
    .usage(`xfer ${command.name} ${command.usage}\n\n${command.summary}`)
    .help(false)
    .version(false);
  for (const option of optionsOf(command.name)) page.option(option.name, yargsOption(option));
  return page;
}

/** The text of `xfer <command> --help`, for a terminal of that many columns. */
export async function commandHelp(command: Command, columns: number): Promise<string> {
  const examples = command.examples.map(([line, meaning]) => `  ${line}\n      ${meaning}\n`).join('');
  const help = await pageOf(command).wrap(Math.min(columns, 110)).getHelp();
  return `${examples}\n${help.replace(KINDS, '').trimEnd()}\n`;
}
