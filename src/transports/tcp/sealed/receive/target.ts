/** What a receiver says of its sink. */
import type { Sink } from '../../../../transport.js';
import type { Target } from '../messages.js';

/** `identity` names the sink's place among all machines; the place itself is told to nobody. */
export function targetOf({ capabilities }: Sink, identity: string): Target {
  return { identity, capabilities };
}
