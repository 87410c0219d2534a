/** Comes to the end that waits, where its address is known or where it has to be found first, and comes back to it. */
import { XferError } from '../../../errors.js';
import type { Scope } from '../../../transport.js';
import type { TcpAddress } from '../options.js';
import { call, type Greeted, placeLabel } from './call.js';
import type { Hello } from './messages.js';
import type { SealedOptions } from './options.js';

/** An end that calls the same other one as often as it has to. */
export interface Caller {
  /**
   * The first connection, or the next one after all were lost. Rejects as `call` does; DISCONNECTED where one that held the
   * key before does not seem to now.
   */
  call(scope: Scope): Promise<Greeted>;
  /** One more, beside those that there are, where the first was answered. Rejects as `call` of call.ts. */
  join(scope: Scope): Promise<Greeted>;
}

/** With `find`, of the places that it tries; else of `addresses`. */
export function callerOf(
  addresses: readonly TcpAddress[],
  label: string,
  hello: Hello,
  options: SealedOptions,
): Caller {
  const quiet = { ...options, onConnection: () => {} };
  let answered: readonly TcpAddress[] | undefined;
  return {
    call: async (scope) => {
      try {
        const greeted = await reach(addresses, label, hello, options, scope);
        answered = [greeted.address];
        return greeted;
      } catch (error) {
        throw answered ? asLost(error) : error;
      }
    },
    join: (scope) => call(answered ?? addresses, label, { ...hello, joins: true }, quiet, scope),
  };
}

function reach(
  addresses: readonly TcpAddress[],
  label: string,
  hello: Hello,
  options: SealedOptions,
  scope: Scope,
): Promise<Greeted> {
  if (!options.find) return call(addresses, label, hello, options, scope);
  const attempt = (places: readonly TcpAddress[]) => {
    const [first] = places;
    return call(places, first ? placeLabel(first) : label, hello, options, scope);
  };
  return options.find(attempt, scope);
}

/** A bit that a bad line turns over in a handshake looks like a wrong key, or like no seal; both were right before. */
function asLost(error: unknown): unknown {
  if (!(error instanceof XferError && ['DENIED', 'PROTOCOL'].includes(error.code))) return error;
  return new XferError('DISCONNECTED', error.message, { cause: error, ...(error.hint ? { hint: error.hint } : {}) });
}
