/**
 * The listener's end of the old scp protocol. For an `exec` request: `parseLegacyCommand` (legacy-command.ts) says whether
 * its command is one of scp's; if so, `serveLegacy` speaks on the channel and gives the exit code to send before its end.
 */
import type { Duplex } from 'node:stream';
import { copy } from '../../../copy/index.js';
import { throwIfAborted, XferError } from '../../../errors.js';
import { withoutEscapes } from '../../../glob.js';
import { bytesFromName, joinPath, parentPath } from '../../../names.js';
import type { Scope } from '../../../transport.js';
import { messageLine } from '../legacy/record.js';
import { SendingSession } from '../legacy/session.js';
import { LegacySink } from '../legacy/sink.js';
import { LegacySource } from '../legacy/source.js';
import { LegacyWire } from '../legacy/wire.js';
import { failureOf } from './answers.js';
import { wantsDirectory } from './client-paths.js';
import type { ReceivingSink, SharedSource } from './folder.js';
import type { LegacyCommand } from './legacy-command.js';
import { expandShared, PartSource, partOfSink } from './legacy-paths.js';

export interface LegacyFolder {
  readonly share: SharedSource;
  /** Absent: nothing may be changed. */
  readonly receive?: ReceivingSink;
  /** The path below the root that a client's word means, patterns and their escapes left as they are; throws where it is none. */
  readonly pathOf: (word: string) => string;
  /** Told of each file that was sent or has arrived, by its path below the root, where its name is known. */
  readonly onFile?: (path: string, bytes: number) => void;
}

/** Speaks with the client until all was copied, and resolves with scp's exit code. Rejects only with the signal's reason. */
export async function serveLegacy(
  stream: Duplex,
  command: LegacyCommand,
  folder: LegacyFolder,
  scope: Scope,
): Promise<number> {
  const wire = new LegacyWire(stream, 'client');
  try {
    const failures = await (command.role === 'send' ? send : receive)(wire, command, folder, scope);
    return failures === 0 ? 0 : 1;
  } catch (error) {
    throwIfAborted(scope.signal);
    await say(wire, '', error, scope);
    return 1;
  }
}

/** What the client hears of an error; that it no longer listens is no error of ours. */
async function say(wire: LegacyWire, what: string, error: unknown, scope: Scope): Promise<void> {
  await wire.write(messageLine(complaint(what, error)), scope).catch(() => undefined);
}

/** In words of our own, since an error may name a path of this machine. */
function complaint(what: string, error: unknown): string {
  return [what, failureOf(error).text].filter((part) => part !== '').join(': ');
}

async function send(wire: LegacyWire, command: LegacyCommand, folder: LegacyFolder, scope: Scope): Promise<number> {
  const { share, pathOf, onFile } = folder;
  const { recursive, preserve } = command;
  const session = await SendingSession.start({ wire, ended: async () => undefined }, scope);
  let failures = 0;
  for (const path of await sharedPaths(command.paths, share, pathOf, scope)) {
    const said: Promise<void>[] = [];
    const onFail = (what: string, error: unknown) => {
      failures += 1;
      said.push(say(wire, what, error, scope));
    };
    const source = new PartSource(share, path);
    const directoryOf = (name: string) => (preserve ? source.directories.get(name) : undefined);
    const start = async () => session;
    const sink = new LegacySink({ label: 'client', identity: 'scp:client', start, directoryOf, onClose: close });
    await copy([source], sink, {
      recursive,
      preserve,
      intoDirectory: true,
      signal: scope.signal,
      onEvent(event) {
        if (event.type === 'fail') onFail(event.path, event.error);
        else if (event.type === 'finish') onFile?.(joinPath(parentPath(path), event.path), event.bytes);
      },
    }).catch((error: unknown) => {
      throwIfAborted(scope.signal);
      // Where only one thing failed, that was told already.
      if (said.length === 0) onFail(path || '.', error);
    });
    await Promise.all(said);
    // The client takes what comes next for a part of the directory that it is in.
    await session.leaveAll(scope);
  }
  return failures;
}

const close = async (): Promise<void> => undefined;

async function sharedPaths(
  words: readonly string[],
  share: SharedSource,
  pathOf: LegacyFolder['pathOf'],
  scope: Scope,
): Promise<string[]> {
  const found: string[] = [];
  for (const word of words) found.push(...(await expandShared(share, pathOf(word), scope)));
  return found;
}

async function receive(wire: LegacyWire, command: LegacyCommand, folder: LegacyFolder, scope: Scope): Promise<number> {
  const { recursive, preserve, intoDirectory, paths } = command;
  const path = folder.pathOf(withoutEscapes(paths[0] as string));
  // A tree makes the directory that is missing.
  const intoIt = !recursive && wantsDirectory(bytesFromName(paths[0] as string));
  if (!folder.receive) throw new XferError('DENIED', `write ${path}: nothing may be changed here`);
  const source = new LegacySource({
    label: 'client',
    identity: 'scp:client',
    name: '',
    several: true,
    recursive,
    preserve,
    start: async () => ({ wire, ended: async () => undefined }),
    onClose: close,
  });
  const { share, receive, onFile } = folder;
  const result = await copy([source], partOfSink({ share, receive, onFile }, path), {
    recursive,
    preserve,
    intoDirectory: intoDirectory || intoIt,
    signal: scope.signal,
    onEvent(event) {
      if (event.type === 'fail') source.refuse(complaint(joinPath(path, event.path), event.error));
    },
  });
  return result.failures.length;
}
