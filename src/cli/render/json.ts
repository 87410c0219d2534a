/** Events and errors as JSON, one a line. Names and messages stay as they are; their control characters are escaped. */
import type { CopyEvent, CopyResult } from '../../copy/index.js';
import type { XferError } from '../../errors.js';

const INVISIBLE = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;

/** One line of JSON, its end included, without a character that a terminal would act on. */
export function jsonLine(record: object): string {
  const escaped = JSON.stringify(record).replace(INVISIBLE, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
  return `${escaped}\n`;
}

/** What JSON says of an error. */
export function errorRecord(error: XferError): Record<string, string | number> {
  return {
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    exit: error.exitCode,
  };
}

function resultRecord(result: CopyResult): object {
  return {
    ...result,
    digests: Object.fromEntries(result.digests),
    failures: result.failures.map(({ path, error }) => ({ path, error: errorRecord(error) })),
  };
}

/** What JSON says of an event. */
export function eventRecord(event: CopyEvent): object {
  if (event.type === 'done') return { type: event.type, ...resultRecord(event.result) };
  if ('error' in event) return { ...event, error: errorRecord(event.error) };
  return event;
}
