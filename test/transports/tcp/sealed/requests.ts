/** Bodies of requests as a sender writes them, whatever they say. */
import { createHash } from 'node:crypto';
import type { Entry } from '#xfer/transport.js';
import { writeEntry } from '#xfer/transports/tcp/sealed/messages.js';
import { BodyWriter, FRAME, type FreePeer, failureOf } from '../../../support/sealed.js';

export function file(path: string, size: number, more: Partial<Entry> = {}): Entry {
  return { path, kind: 'file', size, ...more };
}

export function entryBody(entry: Entry): Buffer {
  return writeEntry(new BodyWriter(), entry).bytes();
}

export function putBody(entry: Entry, bytes: Buffer, digest = createHash('sha256').update(bytes).digest()): Buffer {
  return writeEntry(new BodyWriter().u8(0).raw(digest), entry).raw(bytes).bytes();
}

export function writeBody(draft: number, start: number): Buffer {
  return new BodyWriter().u32(draft).u64(start).bytes();
}

export function commitBody(draft: number, entry: Entry): Buffer {
  return writeEntry(new BodyWriter().u32(draft), entry).bytes();
}

export function draftBody(draft: number): Buffer {
  return new BodyWriter().u32(draft).bytes();
}

/** The code of what a request is answered by, and 'done' for an answer without failure; 'gone' where none came. */
export async function outcome(peer: FreePeer, kind: number, id: number, body: Buffer): Promise<string> {
  const answer = await peer.ask(kind, id, body);
  if (!answer) return 'gone';
  return failureOf(answer)?.code ?? (answer.kind === FRAME.done ? 'done' : `kind ${answer.kind}`);
}

/** Puts a whole file under a name, and gives its outcome. */
export function put(peer: FreePeer, id: number, path: string, bytes = Buffer.from('sent')): Promise<string> {
  return outcome(peer, FRAME.put, id, putBody(file(path, bytes.length), bytes));
}

/** Starts a draft, and gives its number. */
export async function draft(peer: FreePeer, id: number, entry: Entry): Promise<number> {
  const answer = await peer.ask(FRAME.draft, id, entryBody(entry));
  const failure = failureOf(answer);
  if (failure || !answer) throw new Error(`no draft: ${failure?.message ?? 'the connection ended'}`);
  return answer.body.readUInt32BE(0);
}
