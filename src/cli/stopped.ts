/** Why a command was stopped from outside: the reason that its signal is aborted with. */
export class Stopped extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }

  override get name(): string {
    return 'Stopped';
  }
}
