/** Why a command was stopped from outside: the reason that its signal is aborted with. */
export class Stopped extends Error {
  readonly exitCode: number;
  /** Something to type. */
  readonly hint: string | undefined;

  constructor(message: string, exitCode: number, hint?: string) {
    super(message);
    this.exitCode = exitCode;
    this.hint = hint;
  }

  override get name(): string {
    return 'Stopped';
  }
}
