/** Folders are made; what is there gets other names, or goes. */
import { joinPath } from '../../../../names.js';
import type { Exchange } from '../exchange.js';
import type { Sharing } from '../sharing.js';
import { parseTarget } from '../target.js';
import { answerDone } from './answers.js';
import { checkConditions } from './conditions.js';
import { Refusal, refusals } from './refusal.js';
import type { Uploads } from './uploads.js';

/** MKCOL (RFC 4918, 9.3). */
export async function answerMakeFolder(exchange: Exchange, sharing: Sharing, uploads: Uploads, path: string) {
  const { 'content-length': length, 'transfer-encoding': coded } = exchange.request.headers;
  if (coded !== undefined || Number(length ?? 0) > 0) throw new Refusal(415, 'A folder is made without a body.');
  await checkConditions(exchange.request.headers, sharing, path);
  await makeFolder(sharing, uploads, path);
  answerDone(exchange, 201);
}

/** Makes a folder that is not there yet. A Refusal where something has its name (405), or the folder above is missing. */
export async function makeFolder({ scope }: Sharing, { sink }: Uploads, path: string): Promise<void> {
  const there = await sink.stat(path, scope);
  if (there) throw new Refusal(405, 'Something has that name already.', { Allow: 'GET, HEAD, PUT' }, 'EXISTS');
  await sink.create({ path, kind: 'directory' }, scope);
}

/** DELETE (RFC 4918, 9.6): a file, a link, or a folder with all that is in it. */
export async function answerRemove(exchange: Exchange, sharing: Sharing, uploads: Uploads, path: string) {
  await checkWanted(exchange, sharing, uploads, path);
  await removeAll(sharing, uploads, path);
  answerDone(exchange, 204);
}

/** A Refusal where what is to go or to move is not what the request wants it to be (412), and where it never could. */
async function checkWanted({ request }: Exchange, sharing: Sharing, uploads: Uploads, path: string): Promise<void> {
  checkManage(uploads, path);
  await kindOf(sharing, path);
  await checkConditions(request.headers, sharing, path);
}

/** A Refusal (403) where nothing may be removed, 404 where nothing is there. */
export async function removeAll(sharing: Sharing, uploads: Uploads, path: string): Promise<void> {
  checkManage(uploads, path);
  const kind = await kindOf(sharing, path);
  uploads.room.freed(undefined);
  await uploads.sink.remove(path, kind === 'directory' ? 'tree' : 'file', sharing.scope);
}

/** Of the thing itself, not of what a link leads to. A Refusal (404) where nothing has the name. */
async function kindOf({ share, scope }: Sharing, path: string): Promise<string> {
  const entry = await (share.look?.(path, scope) ?? share.stat(path, scope));
  if (!entry) throw new Refusal(404, 'Nothing has that name.', {}, 'NOT_FOUND');
  return entry.kind;
}

function checkManage({ options }: Uploads, path: string): void {
  if (options.manage !== true) throw refusals.readOnly();
  if (path === '') throw new Refusal(403, 'The shared folder itself stays as it is.');
}

/** MOVE (RFC 4918, 9.9) to the path in Destination. */
export async function answerMove(exchange: Exchange, sharing: Sharing, uploads: Uploads, path: string): Promise<void> {
  const { headers } = exchange.request;
  await checkWanted(exchange, sharing, uploads, path);
  const to = destinationPath(headers.destination, headers.host, sharing);
  const kept = headers.overwrite === 'F';
  const replaced = await rename(sharing, uploads, path, to, !kept).catch((error: Refusal) => {
    throw kept && error.code === 'EXISTS' ? refusals.existsNow() : error;
  });
  answerDone(exchange, replaced ? 204 : 201);
}

/** Whether it took the place of something. A Refusal where something has the name, and may not be replaced. */
export async function rename(
  sharing: Sharing,
  uploads: Uploads,
  from: string,
  to: string,
  replace: boolean,
): Promise<boolean> {
  checkManage(uploads, from);
  checkManage(uploads, to);
  const { sink, options, room } = uploads;
  const { scope } = sharing;
  await kindOf(sharing, from);
  if (to === from || to.startsWith(`${from}/`)) throw new Refusal(403, 'A thing cannot lie in itself.');
  const there = await sink.stat(to, scope);
  await sink.rename(from, to, replace && options.overwrite === true, scope);
  room.freed(there?.size);
  return there !== undefined;
}

/** A Refusal where the field is missing, names another host (502), or a place that is not in the share. */
function destinationPath(field: string | string[] | undefined, host: string | undefined, sharing: Sharing): string {
  const text = typeof field === 'string' ? field : '';
  const [, authority, path] = /^(?:https?:\/\/([^/?#]*))?(\/[^?#]*)$/i.exec(text) ?? [];
  if (path === undefined) throw refusals.malformed('Destination');
  if (authority !== undefined && authority.toLowerCase() !== host?.toLowerCase()) {
    throw new Refusal(502, 'Destination is on another host.');
  }
  const below = sharing.gate.prefix.strip(path);
  const target = typeof below === 'string' ? parseTarget(below, sharing) : 404;
  if (typeof target === 'number') throw refusals.name();
  return joinPath(target.path);
}
