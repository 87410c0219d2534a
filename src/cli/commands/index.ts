/** Name -> command, imported only when it is used. */
import type { Command } from '../command.js';
import { COMMAND_NAMES, type CommandName } from '../options.js';

const COMMANDS: Record<CommandName, () => Promise<{ readonly command: Command }>> = {
  scp: () => import('./scp.js'),
  serve: () => import('./serve.js'),
  get: () => import('./get.js'),
  put: () => import('./put.js'),
  send: () => import('./send.js'),
  recv: () => import('./recv.js'),
  pipe: () => import('./pipe.js'),
  cp: () => import('./cp.js'),
  completion: () => import('./completion.js'),
};

export function isCommandName(word: string): word is CommandName {
  return Object.hasOwn(COMMANDS, word);
}

export async function loadCommand(name: CommandName): Promise<Command> {
  return (await COMMANDS[name]()).command;
}

/** Every command, in the order of the help. */
export function loadCommands(): Promise<Command[]> {
  return Promise.all(COMMAND_NAMES.map(loadCommand));
}
