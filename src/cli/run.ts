/** Words -> a command's work -> an exit code. The one place where an error becomes text and a number. */
import { ERROR_CODES, SIGNAL_EXITS, toXferError, XferError } from '../errors.js';
import { printable } from '../names.js';
import type { Command } from './command.js';
import { isCommandName, loadCommand, loadCommands } from './commands/index.js';
import { nearest } from './nearest.js';
import { COMMAND_NAMES } from './options.js';
import { freshLine } from './render/fresh-line.js';
import { errorRecord, jsonLine } from './render/json.js';
import { Stopped } from './stopped.js';
import type { Output, Surroundings } from './surroundings.js';

const DEFAULT_COLUMNS = 80;

/** Runs one command line and says what went wrong with it; resolves with the exit code. Never rejects. */
export async function run(words: readonly string[], around: Surroundings): Promise<number> {
  const errors = { json: asksForJson(words), output: around.stdout };
  try {
    return await dispatch(words, around, errors);
  } catch (thrown) {
    const stopped = around.signal.aborted && !(thrown instanceof Stopped) ? around.signal.reason : thrown;
    const json = errors.json ? errors.output : undefined;
    if (stopped instanceof Stopped) return sayStopped(stopped, json, around);
    const error = toXferError(thrown, words[0] ?? 'xfer');
    sayError(error, json, around);
    return error.exitCode;
  }
}

function asksForJson(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return words.slice(0, end === -1 ? undefined : end).includes('--json');
}

async function dispatch(words: readonly string[], around: Surroundings, errors: { output: Output }): Promise<number> {
  const [first, ...rest] = words;
  if (!first) {
    if (first === '') throw new XferError('USAGE', 'the command is empty', { hint: 'xfer --help' });
    around.stderr.write(await overview());
    return ERROR_CODES.USAGE.exit;
  }
  if (first === '--version' || first === '-V') return version(around);
  if (first === '--help' || first === '-h' || first === 'help') return help(rest, around);
  const command = await findCommand(first, rest);
  const { parseArguments } = await import('./parse.js');
  const parsed = parseArguments(command, rest);
  if (parsed.flag('version')) return version(around);
  if (parsed.flag('help')) return showHelp(command, around);
  if (parsed.stdoutTaken) errors.output = around.stderr;
  await command.run(parsed, around);
  return 0;
}

function version(around: Surroundings): number {
  around.stdout.write(`${around.version}\n`);
  return 0;
}

async function help([name]: readonly string[], around: Surroundings): Promise<number> {
  if (name === undefined) around.stdout.write(await overview());
  else return showHelp(await findCommand(name), around);
  return 0;
}

async function showHelp(command: Command, around: Surroundings): Promise<number> {
  const { commandHelp } = await import('./help.js');
  around.stdout.write(await commandHelp(command, around.stdout.columns ?? DEFAULT_COLUMNS));
  return 0;
}

async function findCommand(word: string, rest: readonly string[] = []): Promise<Command> {
  if (isCommandName(word)) return loadCommand(word);
  const isOption = word.startsWith('-');
  const right = nearest(word, isOption ? ['--help', '--version'] : COMMAND_NAMES);
  const command = isOption ? rest.find(isCommandName) : undefined;
  const elsewhere =
    command === undefined ? 'xfer --help' : `options come after the command: xfer ${command} ${word} ...`;
  throw new XferError('USAGE', `${isOption ? 'option' : 'command'} ${word}: xfer has none of this name`, {
    hint: right === undefined ? elsewhere : `did you mean xfer ${right}?`,
  });
}

/** `xfer --help`: the commands, and what the exit codes mean. */
export async function overview(): Promise<string> {
  const commands = await loadCommands();
  const lines = commands.map(({ name, summary }) => `  xfer ${name.padEnd(11)} ${summary}`);
  const meanings = new Map<number, string[]>();
  for (const { exit, meaning } of Object.values(ERROR_CODES)) {
    meanings.set(exit, [...(meanings.get(exit) ?? []), meaning]);
  }
  const exits = [...meanings].map(([exit, texts]) => `  ${String(exit).padStart(3)}  ${texts.join('; ')}`);
  const signals = Object.entries(SIGNAL_EXITS).map(([signal, exit]) => `  ${exit}  stopped by ${signal}`);
  return `xfer moves files between machines over SSH, HTTP and TCP.

  xfer scp file host:path          copy over SSH
  xfer serve                       share this directory over HTTP
  xfer get http://host:8000/file   download

Commands:
${lines.join('\n')}

  xfer <command> --help            the options of a command
  xfer --version                   the version

Exit codes:
    0  done
${exits.join('\n')}
${signals.join('\n')}
`;
}

function sayStopped(stopped: Stopped, json: Output | undefined, around: Surroundings): number {
  const { message, exitCode, hint } = stopped;
  if (message === '') return exitCode;
  around.stderr.write(freshLine(around.stderr, around.env));
  if (json) json.write(jsonLine({ type: 'stopped', message, ...(hint === undefined ? {} : { hint }), exit: exitCode }));
  else around.stderr.write(`xfer: ${message}\n${hintLine(hint)}`);
  return exitCode;
}

/** As text on standard error, or as one line of JSON where an output for it is given. */
function sayError(error: XferError, json: Output | undefined, around: Surroundings): void {
  if (json) json.write(jsonLine({ type: 'error', ...errorRecord(error) }));
  else around.stderr.write(`xfer: ${error.message}\n${hintLine(error.hint)}`);
  if (error.code === 'INTERNAL') around.stderr.write(bugReport(error, around));
}

function hintLine(hint: string | undefined): string {
  return hint === undefined ? '' : `  hint: ${hint}\n`;
}

/** Where a fault in xfer came from, and what to do with it. */
export function bugReport(error: Error, around: Surroundings): string {
  const origin = error.cause instanceof Error ? error.cause : error;
  const stack = (origin.stack ?? '').split('\n').map((line) => `  ${printable(line)}\n`);
  return `${stack.join('')}  this is a bug in xfer ${around.version}: please report it to its authors with the lines above\n`;
}
