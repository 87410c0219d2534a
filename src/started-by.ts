/** Starts a program of the system. */

/**
 * The child that `start` makes. Where this process may open no more files Node makes one without streams (its
 * child_process.js), at which execa throws a TypeError; here that is the system's EMFILE.
 */
export function startedBy<Child>(program: string, start: () => Child): Child {
  try {
    return start();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw Object.assign(new Error(`spawn ${program} EMFILE`, { cause: error }), { code: 'EMFILE' });
  }
}
