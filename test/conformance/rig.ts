/** What a transport gives the suite so that it can be held to the contract. */
import { after, before, describe } from 'node:test';
import type { Scope, Sink, SinkCapabilities, Source, SourceCapabilities } from '#xfer/transport.js';
import type { FaultyProxyOptions } from '../support/faulty-proxy.js';
import type { Fixture } from '../support/fixtures.js';
import { assertNoMoreThan, countOpen } from '../support/leaks.js';

/** How a line fails, as the proxy takes it. */
export type Fault = Omit<FaultyProxyOptions, 'to'>;

/** Names that a transport carries: every byte but `/` and NUL, well-formed text, or none at all. */
export type NamesCarried = 'bytes' | 'text' | 'none';

export interface SourceSupports {
  /** The root may be a directory. Else fixtures are one file whose path is `''`. */
  readonly tree: boolean;
  readonly names: NamesCarried;
  /** False: a name with a line feed cannot be carried. */
  readonly lineFeeds?: boolean;
  /** Entries of files state their size. */
  readonly size: boolean;
  /** Fixtures may be links. */
  readonly links?: boolean;
  /** A byte that changed on its way is noticed before it is given to the reader. */
  readonly detectsCorruption?: boolean;
}

export interface OpenedSource {
  readonly source: Source;
  /** Gives a file other bytes, so that its version is another. Absent where the rig cannot. */
  change?(path: string, bytes: Buffer): Promise<void>;
  /** Closes the source and all that the rig started for it. */
  close(): Promise<void>;
}

export interface SourceRig {
  readonly supports: SourceSupports;
  /** What the source must say of itself, so that no chapter passes because a power was lost. */
  readonly capabilities: SourceCapabilities;
  open(files: readonly Fixture[]): Promise<OpenedSource>;
  /** The same over a line that fails. Absent where there is no line, or where its end cannot be told from a fault. */
  openFaulty?(files: readonly Fixture[], fault: Fault): Promise<OpenedSource>;
}

export interface SinkSupports {
  readonly tree: boolean;
  /** False: a file's size must be known when it starts. */
  readonly unknownSize?: boolean;
  readonly names: NamesCarried;
  /** False: a name with a line feed cannot be carried. */
  readonly lineFeeds?: boolean;
  /** `create` makes links. */
  readonly links?: boolean;
  /** No link in the root is followed out of it. */
  readonly confined?: boolean;
}

export interface OpenedSink {
  readonly sink: Sink;
  /** Another sink on the same place, as another process or connection would have it. */
  reopen(): Promise<Sink>;
  /** Path of everything below the root, part files too; in any order. */
  list(): Promise<string[]>;
  /** Names beside the root, where an escape would land. */
  outside?(): Promise<string[]>;
  /** Bytes of a file, or undefined where nothing has the name. */
  read(path: string): Promise<Buffer | undefined>;
  /** Closes every sink that was opened and all that the rig started. */
  close(): Promise<void>;
}

export interface SinkRig {
  readonly supports: SinkSupports;
  /** What the sink must say of itself. */
  readonly capabilities: SinkCapabilities;
  open(existing?: readonly Fixture[]): Promise<OpenedSink>;
}

export interface Rig {
  readonly source?: SourceRig;
  readonly sink?: SinkRig;
}

/** Longest time that one test of the suite may take. */
export const TEST = { timeout: 10_000 } as const;

/** A scope that nobody aborts. */
export function freeScope(): Scope {
  return { signal: new AbortController().signal };
}

/** Opens, runs, and closes whatever happens. */
export async function withSource(
  rig: SourceRig,
  files: readonly Fixture[],
  run: (opened: OpenedSource) => Promise<void>,
): Promise<void> {
  const opened = await rig.open(files);
  try {
    await run(opened);
  } finally {
    await opened.close();
  }
}

/** Opens, runs, and closes whatever happens. */
export async function withSink(
  rig: SinkRig,
  existing: readonly Fixture[],
  run: (opened: OpenedSink) => Promise<void>,
): Promise<void> {
  const opened = await rig.open(existing);
  try {
    await run(opened);
  } finally {
    await opened.close();
  }
}

/** A path that the sink takes for one file: a name in a tree, else the root itself. */
export function filePath(rig: SinkRig): string {
  return rig.supports.tree ? 'target' : '';
}

/** Registers one chapter; when it ends, nothing may be open that was not open before. */
export function chapter(title: string, register: () => void): void {
  describe(title, () => {
    let open: ReturnType<typeof countOpen>;
    let awake: ReturnType<typeof setInterval>;
    before(() => {
      // A promise that never settles must meet its test's time limit, instead of an event loop that has run dry.
      awake = setInterval(() => {}, TEST.timeout);
      open = countOpen();
    });
    register();
    after(async () => {
      await assertNoMoreThan(open).finally(() => clearInterval(awake));
    });
  });
}
