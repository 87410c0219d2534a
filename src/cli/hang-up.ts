/** Whether a hang-up of the terminal is for this process. */

/**
 * Whether nohup(1) started it. What nohup asks of the system, to ignore SIGHUP, Node undoes at its start; shells leave the
 * program's name in `_` (bash(1), "Special Parameters"; ksh and zsh as well).
 */
export function startedByNohup({ _: program = '' }: NodeJS.ProcessEnv): boolean {
  return /(?:^|\/)nohup$/.test(program);
}
