import { printable } from '../../names.js';

/** Opens a URL in the browser of this machine. Never rejects: what fails is a notice, then or later. */
export async function openPage(url: string, signal: AbortSignal, onNotice: (line: string) => void): Promise<void> {
  const fail = (reason: string): void => {
    if (!signal.aborted) onNotice(`open ${printable(url)}: no browser could be started: ${printable(reason)}`);
  };
  try {
    const { default: open } = await import('open');
    const program = await open(url);
    program.once('error', ({ message }) => fail(message));
    program.once('exit', (code) => {
      if (code) fail(`the program that opens pages ended with ${code}`);
    });
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
  }
}
