/** What multicast DNS is told. */

/** Where it is spoken. */
export interface MdnsPlace {
  /** Address of the one interface to use; all where absent. */
  readonly interface?: string;
  /** 5353 where absent. */
  readonly port?: number;
}

export interface MdnsOptions extends MdnsPlace {
  /** What is shown of it, as in `xfer on laptop`. A number is added where another has it. */
  readonly name: string;
  /** Name of this machine. */
  readonly host: string;
}
