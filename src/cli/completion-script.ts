/** Completion scripts, made from the tables of commands and options. */
import type { Command } from './command.js';
import { type Option, optionsOf } from './options.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** The text of the script. All words in it are ours; none comes from outside. */
export function completionScript(shell: Shell, commands: readonly Command[]): string {
  if (shell === 'bash') return bashScript(commands);
  return shell === 'zsh' ? zshScript(commands) : fishScript(commands);
}

function spellings(option: Option): string[] {
  return option.alias === undefined ? [`--${option.name}`] : [`-${option.alias}`, `--${option.name}`];
}

function shown(command: Command): readonly Option[] {
  return optionsOf(command.name).filter((option) => option.refused === undefined);
}

/** What sets `words`: the choices where the word before is an option that has some, else the options. */
function bashWords(command: Command): string {
  const options = shown(command);
  const choices = options.flatMap((option) =>
    option.choices ? [`        ${spellings(option).join('|')}) words='${option.choices.join(' ')}' chosen=1 ;;`] : [],
  );
  const all = `words='${options.flatMap(spellings).join(' ')}'`;
  if (choices.length === 0) return `    ${command.name}) ${all} ;;`;
  return `    ${command.name})
      case $previous in
${choices.join('\n')}
        *) ${all} ;;
      esac ;;`;
}

function bashScript(commands: readonly Command[]): string {
  const cases = commands.map(bashWords);
  return `# bash completion for xfer
_xfer() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} words= chosen=
  # An equals sign is a word of its own in bash: --links = keep
  if [ "$current" = = ]; then current=
  elif [ "$previous" = = ]; then previous=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(' ')} --help --version' -- "$current"))
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
  esac
  if [ "\${COMP_WORDS[1]}" = completion ]; then words="$words ${SHELLS.join(' ')}"; fi
  if [[ -n $chosen || $current == -* || \${COMP_WORDS[1]} == completion ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}
complete -o default -F _xfer xfer
`;
}

function zshQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** One argument of zsh's _arguments: `(exclusions){spellings}[description]:value:action`. */
function zshArgument(option: Option): string {
  const description = option.description.replace(/[[\]\\:]/g, '\\$&');
  const repeated = option.type === 'list' || option.type === 'count' ? '*' : '';
  const action = option.choices ? `(${option.choices.join(' ')})` : '_files';
  const value = option.argument === undefined ? '' : `:${option.argument.replaceAll(':', '\\:')}:${action}`;
  return spellings(option)
    .map((word) => `        ${zshQuoted(`${repeated}${word}[${description}]${value}`)}`)
    .join(' \\\n');
}

function zshScript(commands: readonly Command[]): string {
  const names = commands.map(({ name, summary }) => `    ${zshQuoted(`${name}:${summary.replaceAll(':', '\\:')}`)}`);
  const cases = commands.map((command) => {
    const operands = command.name === 'completion' ? `'*:shell:(${SHELLS.join(' ')})'` : "'*:location:_files'";
    const words = [...shown(command).map(zshArgument), `        ${operands}`].join(' \\\n');
    return `    ${command.name})\n      _arguments -s \\\n${words}\n      ;;`;
  });
  return `#compdef xfer
_xfer() {
  local -a commands
  commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = _xfer ]; then _xfer "$@"; else compdef _xfer xfer; fi
`;
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function fishScript(commands: readonly Command[]): string {
  const names = commands.map(
    ({ name, summary }) => `complete -c xfer -n __fish_use_subcommand -f -a ${name} -d ${fishQuoted(summary)}`,
  );
  const options = commands.flatMap((command) => shown(command).map((option) => fishOption(command, option)));
  const shells = `complete -c xfer -n '__xfer_command completion' -f -a '${SHELLS.join(' ')}'`;
  return `# fish completion for xfer
function __xfer_command
  set -l words (commandline -opc)
  test "$words[2]" = $argv[1]
end
${[...names, ...options, shells].join('\n')}\n`;
}

function fishOption(command: Command, option: Option): string {
  const letter = option.alias === undefined ? '' : ` -s ${option.alias}`;
  const choices = option.choices ? ` -x -a '${option.choices.join(' ')}'` : '';
  const value = option.argument === undefined ? '' : choices || ' -r';
  const where = `'__xfer_command ${command.name}'`;
  return `complete -c xfer -n ${where}${letter} -l ${option.name}${value} -d ${fishQuoted(option.description)}`;
}
