/** A carrier for one command after another, opened again where its connection was lost. */
import { printable } from '../../../names.js';
import type { OpenOptions, Scope } from '../../../transport.js';
import type { Carrier } from '../carriers/carrier.js';

export interface LastingOptions {
  /** For notices. */
  readonly label: string;
  readonly dial: (scope: Scope) => Promise<Carrier>;
  readonly onNotice?: OpenOptions['onNotice'];
}

/** Stands in for `first`, and then for what `dial` gives. What starts something rejects with the errors of a carrier too. */
export function lastingCarrier(first: Carrier, { label, dial, onNotice }: LastingOptions): Carrier {
  let carrier = first;
  const reopened = async (scope: Scope): Promise<Carrier> => {
    const { lost } = carrier;
    if (!lost) return carrier;
    onNotice?.(printable(`${label}: the connection was lost; connecting again`), lost);
    const old = carrier;
    carrier = await dial(scope);
    await old.close();
    return carrier;
  };
  return {
    account: first.account,
    loginPerSession: first.loginPerSession,
    get lost() {
      return carrier.lost;
    },
    openSftp: async (scope) => (await reopened(scope)).openSftp(scope),
    ...(first.execute
      ? { execute: async (command, scope) => ((await reopened(scope)) as Required<Carrier>).execute(command, scope) }
      : {}),
    close: () => carrier.close(),
  };
}
