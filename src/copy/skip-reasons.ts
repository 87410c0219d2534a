/** Why a thing is left out of a copy on purpose, in the words of the `skip` event. */

/** It need not be copied. */
export const ALREADY_WHOLE = 'already there, and whole';
export const EXCLUDED = 'excluded';
