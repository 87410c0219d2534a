/** An input that is still open when the other end is done. */
import { type Silence, watchSilence } from './silence.js';

const QUIET_MS = 5000;
const GIVEN_UP = 'the other end is done; standard input brought nothing, and is not waited for';
const WAITED_FOR = 'the other end sends no more; what standard input brings goes on until its end';

export interface OpenInput {
  /** Bytes came from the other end, and none of the input has gone there. */
  readonly onlyReceived: () => boolean;
  readonly onNotice: ((line: string) => void) | undefined;
  readonly giveUp: () => void;
}

/**
 * Watches such an input: where nobody can tell whether more comes, bytes must not be lost. It is given up only where it
 * brought nothing for a while and the other end did, which is then all that there was to move; nc hangs there. Else it is
 * waited for: an end that is done may well take what comes.
 */
export function watchOpenInput({ onlyReceived, onNotice, giveUp }: OpenInput): Silence {
  return watchSilence(QUIET_MS, () => {
    if (onlyReceived()) {
      onNotice?.(GIVEN_UP);
      giveUp();
    } else onNotice?.(WAITED_FOR);
  });
}
