/** `xfer completion`: what a shell needs to complete the words of xfer. */
import { XferError } from '../../errors.js';
import type { Command } from '../command.js';
import { completionScript, SHELLS } from '../completion-script.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import type { Surroundings } from '../surroundings.js';

export const command: Command = {
  name: 'completion',
  summary: `Print a completion script for ${SHELLS.join(', ')}.`,
  usage: SHELLS.join('|'),
  examples: [
    ['xfer completion bash >> ~/.bashrc', 'bash'],
    ['xfer completion zsh > ~/.zfunc/_xfer', 'zsh, where ~/.zfunc is in $fpath'],
    ['xfer completion fish > ~/.config/fish/completions/xfer.fish', 'fish'],
  ],
  operands: [1, 1],
  missing: { message: 'completion: a shell is needed', hint: `xfer completion ${SHELLS.join('|')}` },
  run,
};

async function run(parsed: ParsedArguments, around: Surroundings): Promise<void> {
  const [typed] = parsed.operands as [string];
  const shell = SHELLS.find((known) => known === typed);
  if (shell === undefined) {
    throw new XferError('USAGE', `completion ${typed}: not a shell that xfer knows`, {
      hint: `xfer completion ${SHELLS.join('|')}`,
    });
  }
  const { loadCommands } = await import('./index.js');
  around.stdout.write(completionScript(shell, await loadCommands()));
}
