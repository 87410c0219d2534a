/** Opens what is behind a URL, and again where its server was reached and did not answer, or said to come later. */
import type { RetryPolicy } from '../copy/retry.js';
import { describeLocation, type Location } from '../location.js';
import type { Prompt } from '../transport.js';
import { copyOptions } from './copy-options.js';
import type { ParsedArguments } from './parsed-arguments.js';
import type { Report } from './render/report.js';
import type { Surroundings } from './surroundings.js';
import { isWeb } from './web-location.js';

export interface OpeningTerms {
  readonly policy: Partial<RetryPolicy> | undefined;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** An end is opened as often as a file of the copy is tried. */
export function openingTerms(parsed: ParsedArguments, around: Surroundings, report: Report): OpeningTerms {
  return { policy: copyOptions(parsed).retry, report, signal: around.signal };
}

/**
 * What `open` makes of a location. One that is no URL is tried once: its transport may ask a person, or have another log
 * in. UNREACHABLE is final, as a name or a port may be mistyped. Rejects as the last try does.
 */
export async function openAgain<Opened>(
  location: Location,
  open: () => Promise<Opened>,
  { policy, report, signal }: OpeningTerms,
): Promise<Opened> {
  if (!isWeb(location)) return open();
  const { retry } = await import('../copy/retry.js');
  const path = describeLocation(location);
  return retry(open, {
    policy,
    signal,
    what: `open ${path}`,
    mayRetry: ({ code }) => code !== 'UNREACHABLE',
    onRetry: (attempt, delayMs, error) => report.onEvent({ type: 'retry', path, attempt, delayMs, error }),
  });
}

/** The same prompt, which asks each question once: a login for URLs holds for every try, and is never asked anew. */
export function askingOnce(prompt: Prompt): Prompt {
  const answers = new Map<string, Promise<string | undefined>>();
  const once = (question: string, ask: () => Promise<string | undefined>): Promise<string | undefined> => {
    const answer = answers.get(question) ?? ask();
    answers.set(question, answer);
    return answer;
  };
  return {
    secret: (question, scope) => once(question, () => prompt.secret(question, scope)),
    line: (question, scope) => once(question, () => prompt.line(question, scope)),
  };
}
