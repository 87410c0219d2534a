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

/** What a value of an option is called that is a path of this machine. */
const PATHS: ReadonlySet<string | undefined> = new Set(['file', 'directory', 'path', 'program']);

function takesOther(option: Option): boolean {
  return option.argument !== undefined && !option.choices && !PATHS.has(option.argument);
}

/** What sets `words`: where the word before is an option with a value, its choices, or nothing for what is no path. */
function bashWords(command: Command): string {
  const options = shown(command);
  const choices = options.flatMap((option) =>
    option.choices ? [`        ${spellings(option).join('|')}) words='${option.choices.join(' ')}' chosen=1 ;;`] : [],
  );
  const others = options.filter(takesOther).flatMap(spellings);
  const all = `words='${options.flatMap(spellings).join(' ')}'`;
  if (options.every(({ argument }) => argument === undefined)) return `    ${command.name}) ${all} ;;`;
  return `    ${command.name})
      case $previous in
${choices.join('\n')}
        ${others.join('|')}) chosen=1 ;;
        *) ${all} ;;
      esac ;;`;
}

function bashScript(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  return `# bash completion for xfer
_xfer() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]} words= chosen= word
  local before=
  [ "$COMP_CWORD" -gt 2 ] && before=\${COMP_WORDS[COMP_CWORD-2]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${names} help --help --version' -- "$current"))
    return
  fi
  # A colon is a word of its own in bash, and what is behind one on another machine: host : path
  if [[ ( $current == : && $previous != */* ) || ( $previous == : && ( $before != */* || $before == //* ) ) ]]; then
    compopt +o default 2>/dev/null
    return
  fi
  for word in "\${COMP_WORDS[@]:2:COMP_CWORD-2}"; do
    [ "$word" = -- ] && return
  done
  # So is an equals sign: --links = keep
  if [ "$current" = = ]; then current=
  elif [ "$previous" = = ]; then previous=$before
  fi
  case $command in
    help) [ "$COMP_CWORD" -eq 2 ] && words='${names}'; chosen=1 ;;
${commands.map(bashWords).join('\n')}
  esac
  if [ "$command" = completion ]; then words="$words ${SHELLS.join(' ')}" chosen=1; fi
  if [[ -n $chosen || $current == -* ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    [ -n "$chosen" ] && compopt +o default 2>/dev/null
  fi
  return 0
}
complete -o default -F _xfer xfer
`;
}

function zshQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** One argument of zsh's _arguments: `(exclusions){spellings}[description]:value:action`; a value may be joined to it. */
function zshArgument(option: Option): string {
  const description = option.description.replace(/[[\]\\:]/g, '\\$&');
  const repeated = option.type === 'list' || option.type === 'count' ? '*' : '';
  const action = option.choices ? `(${option.choices.join(' ')})` : takesOther(option) ? ' ' : '_files';
  const value = option.argument === undefined ? '' : `:${option.argument.replaceAll(':', '\\:')}:${action}`;
  const joined = (word: string): string => (value === '' ? '' : word.startsWith('--') ? '=' : '+');
  return spellings(option)
    .map((word) => `        ${zshQuoted(`${repeated}${word}${joined(word)}[${description}]${value}`)}`)
    .join(' \\\n');
}

function zshScript(commands: readonly Command[]): string {
  const names = commands.map(({ name, summary }) => `    ${zshQuoted(`${name}:${summary.replaceAll(':', '\\:')}`)}`);
  const cases = commands.map((command) => {
    const operands = command.name === 'completion' ? `'*:shell:(${SHELLS.join(' ')})'` : "'*:location:_files'";
    const words = [...shown(command).map(zshArgument), `        ${operands}`].join(' \\\n');
    return `    ${command.name})\n      _arguments -s -S \\\n${words}\n      ;;`;
  });
  return `#compdef xfer
_xfer() {
  local -a commands
  commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )) && [[ $words[2] == -* ]]; then
    compadd -- --help --version
    return
  elif (( CURRENT == 2 )); then
    commands+=('help:Show how a command is used.')
    _describe command commands
    return
  elif [[ $words[2] == help ]]; then
    (( CURRENT == 3 )) && _describe command commands
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
  const asked = commands.map(
    ({ name, summary }) => `complete -c xfer -n '__xfer_command help' -f -a ${name} -d ${fishQuoted(summary)}`,
  );
  const options = commands.flatMap((command) => shown(command).map((option) => fishOption(command, option)));
  const shells = `complete -c xfer -n '__xfer_command completion' -f -a '${SHELLS.join(' ')}'`;
  return `# fish completion for xfer
function __xfer_command
  set -l words (commandline -opc)
  test "$words[2]" = $argv[1]
end
complete -c xfer -n __fish_use_subcommand -f -a help -d 'Show how a command is used.'
complete -c xfer -n __fish_use_subcommand -l help -d 'show the commands'
complete -c xfer -n __fish_use_subcommand -l version -d 'show the version of xfer'
${[...names, ...asked, ...options, shells].join('\n')}\n`;
}

function fishOption(command: Command, option: Option): string {
  const letter = option.alias === undefined ? '' : ` -s ${option.alias}`;
  const choices = option.choices ? ` -x -a '${option.choices.join(' ')}'` : takesOther(option) ? ' -x' : ' -r';
  const value = option.argument === undefined ? '' : choices;
  const where = `'__xfer_command ${command.name}'`;
  return `complete -c xfer -n ${where}${letter} -l ${option.name}${value} -d ${fishQuoted(option.description)}`;
}
