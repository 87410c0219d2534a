/** Whether what a copy is told can be done: a program may give values that no type keeps out, as NaN. */
import { XferError } from '../errors.js';
import type { CopyOptions } from './options.js';

interface Rule {
  readonly name: string;
  readonly of: (options: CopyOptions) => unknown;
  readonly allows: (value: unknown) => boolean;
  /** What it may be, for the message. */
  readonly may: string;
}

const COUNT = {
  allows: (value: unknown) => Number.isInteger(value) && Number(value) > 0,
  may: 'a whole number above 0',
};

const COUNT_OR_ENDLESS = {
  allows: (value: unknown) => value === Number.POSITIVE_INFINITY || COUNT.allows(value),
  may: 'a whole number above 0, or Infinity',
};

const AMOUNT = { allows: (value: unknown) => Number.isFinite(value) && Number(value) > 0, may: 'a number above 0' };

const DELAY = { allows: (value: unknown) => typeof value === 'number' && value >= 0, may: 'a number of at least 0' };

const oneOf = (...words: string[]) => ({
  allows: (value: unknown) => words.some((word) => word === value),
  may: `one of ${words.join(', ')}`,
});

const RULES: readonly Rule[] = [
  { name: 'filesInFlight', of: ({ filesInFlight }) => filesInFlight, ...COUNT },
  { name: 'lanes', of: ({ lanes }) => lanes, ...COUNT },
  { name: 'blockBytes', of: ({ blockBytes }) => blockBytes, ...COUNT },
  { name: 'limitBytesPerSecond', of: ({ limitBytesPerSecond }) => limitBytesPerSecond, ...AMOUNT },
  { name: 'retry.attempts', of: ({ retry }) => retry?.attempts, ...COUNT_OR_ENDLESS },
  { name: 'retry.firstDelayMs', of: ({ retry }) => retry?.firstDelayMs, ...DELAY },
  { name: 'retry.maxDelayMs', of: ({ retry }) => retry?.maxDelayMs, ...DELAY },
  { name: 'verify', of: ({ verify }) => verify, ...oneOf('size', 'sha256') },
  { name: 'overwrite', of: ({ overwrite }) => overwrite, ...oneOf('always', 'never', 'newer', 'shorter') },
];

/** USAGE for the first option that is there and cannot be followed, with what it may be. */
export function checkOptions(options: CopyOptions): void {
  for (const { name, of, allows, may } of RULES) {
    const value = of(options);
    if (value === undefined || allows(value)) continue;
    throw new XferError('USAGE', `copy: the option ${name} is ${String(value)}, and may be ${may}`);
  }
}
