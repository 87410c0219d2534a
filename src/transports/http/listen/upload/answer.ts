/** Requests that put something into what is shared, or change it: which of them is which. */

import { integerField, uploadIdOf } from '../../upload-protocol.js';
import type { Exchange } from '../exchange.js';
import { answerOptions, closing } from '../refuse.js';
import type { Sharing } from '../sharing.js';
import { clientGone } from '../watch-client.js';
import { answerDone, answerRefusal } from './answers.js';
import { checkAsItIs } from './as-it-is.js';
import { checkConditions } from './conditions.js';
import { answerDropBox } from './drop-box.js';
import { answerMakeFolder, answerMove, answerRemove } from './folders.js';
import { answerActionForm, answerFileForm, readActionForm } from './form.js';
import { sendOutcome, wantsPage } from './form-outcome.js';
import { boundaryOf } from './multipart.js';
import { folderAt, nameIn, targetPath } from './names.js';
import { answerPut } from './put.js';
import { Refusal, refusalOf, refusals } from './refusal.js';
import {
  answerResumableBegin,
  answerResumableHead,
  answerResumablePatch,
  limitFields,
  wantsResumption,
} from './resumable.js';
import { answerTusCreate, answerTusHead, answerTusPatch, beginTus, speaksTus, tusFields, tusMetadata } from './tus.js';
import type { Upload } from './upload.js';
import type { Uploads } from './uploads.js';

/** What comes with one of these is compared with it (RFC 9530, 4). */
const WANTED_DIGESTS = 'sha-512=5, sha-256=10';

const METHODS = 'GET, HEAD, OPTIONS, PUT, POST, PATCH, MKCOL, DELETE';

/** What may be asked for with which methods. */
export function methodsWith({ options }: Uploads): string {
  return options.manage ? `${METHODS}, MOVE` : METHODS;
}

/** Answers a request that is about uploads, and says whether it was. Rejects as the sink does, and for what is no refusal. */
export async function answerUpload(exchange: Exchange, sharing: Sharing, uploads: Uploads): Promise<boolean> {
  const { request, response } = exchange;
  const awake = keepAwake(exchange);
  try {
    return await answer(exchange, sharing, uploads);
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) throw error;
    if (request.destroyed && !request.complete) throw clientGone();
    if (isForm(exchange) && wantsPage(exchange) && !response.headersSent) {
      sendOutcome(exchange, { saved: [], refused: [{ name: '', refusal }] });
    } else answerRefusal(exchange, refusal, closing(request.headers));
    return true;
  } finally {
    clearInterval(awake);
  }
}

/** However long a disk takes, the connection is no idle one: bodies have a watch of their own. */
function keepAwake({ request }: Exchange): NodeJS.Timeout | undefined {
  const { timeout } = request.socket;
  return timeout ? setInterval(() => request.socket.setTimeout(timeout), timeout / 3) : undefined;
}

async function answer(exchange: Exchange, sharing: Sharing, uploads: Uploads): Promise<boolean> {
  const { request, response } = exchange;
  const { method, url = '/' } = request;
  if (method === 'OPTIONS') {
    const digests = { 'Want-Repr-Digest': WANTED_DIGESTS };
    for (const [name, value] of Object.entries({ ...tusFields(uploads), ...limitFields(uploads), ...digests })) {
      response.setHeader(name, value);
    }
    answerOptions(request, response, methodsWith(uploads));
    return true;
  }
  const id = uploadIdOf(url);
  if (id !== undefined) {
    await answerResource(exchange, sharing, uploads, id);
    return true;
  }
  if (method === 'GET' || method === 'HEAD') {
    if (uploads.options.only) await answerDropBox(exchange, uploads);
    return uploads.options.only === true;
  }
  return answerChange(exchange, sharing, uploads);
}

async function answerChange(exchange: Exchange, sharing: Sharing, uploads: Uploads): Promise<boolean> {
  const { method, url } = exchange.request;
  const known = ['PUT', 'POST', 'MKCOL', 'DELETE', 'MOVE'].includes(method ?? '');
  if (!known) return false;
  const { path, directory } = targetPath(url, sharing);
  if (method === 'POST') await answerPost(exchange, sharing, uploads, path);
  else if (method === 'MKCOL') await answerMakeFolder(exchange, sharing, uploads, path);
  else if (method === 'DELETE') await answerRemove(exchange, sharing, uploads, path);
  else if (method === 'MOVE') await answerMove(exchange, sharing, uploads, path);
  else if (directory) throw refusals.noName();
  else await answerPut(exchange, sharing, uploads, path);
  return true;
}

/** A request about one upload that can go on. */
async function answerResource(exchange: Exchange, sharing: Sharing, uploads: Uploads, id: string): Promise<void> {
  const { request, tally } = exchange;
  const tus = speaksTus(request);
  if (tus) beginTus(exchange);
  const upload = uploads.find(id, tally.user);
  if (!upload) throw refusals.missing();
  checkAsItIs(request);
  const method = overriddenMethod(exchange);
  if (method === 'HEAD') return (tus ? answerTusHead : answerResumableHead)(exchange, uploads, upload);
  if (method === 'PATCH') {
    if (tus) return answerTusPatch(exchange, uploads, upload);
    return answerResumablePatch(exchange, sharing, uploads, upload);
  }
  if (method === 'DELETE') return answerCancel(exchange, upload);
  throw new Refusal(405, 'That cannot be done with an upload.', { Allow: 'HEAD, PATCH, DELETE' }, 'UNSUPPORTED');
}

/** tus, for clients whose line lets no PATCH through. */
function overriddenMethod({ request }: Exchange): string | undefined {
  const { method, headers } = request;
  const override = headers['x-http-method-override'];
  return method === 'POST' && typeof override === 'string' ? override.toUpperCase() : method;
}

async function answerCancel(exchange: Exchange, upload: Upload): Promise<void> {
  await upload.discard();
  answerDone(exchange, 204);
}

function isForm({ request }: Exchange): boolean {
  const type = request.headers['content-type'] ?? '';
  return request.method === 'POST' && /^(?:multipart\/form-data|application\/x-www-form-urlencoded)\b/i.test(type);
}

async function answerPost(exchange: Exchange, sharing: Sharing, uploads: Uploads, path: string): Promise<void> {
  const { request } = exchange;
  const { headers } = request;
  checkAsItIs(request);
  const boundary = boundaryOf(headers['content-type']);
  const isOther = boundary === undefined && !speaksTus(request) && !wantsResumption(request);
  if (isOther && !isForm(exchange)) throw refusals.noForm();
  const fields = isOther ? await readActionForm(exchange, uploads) : undefined;
  const folder = await folderAt(path, sharing);
  // They are about what is posted to, as in RFC 9110, 13.1, and not about what comes of it.
  await checkConditions(headers, sharing, folder);
  const inFolder = (name: string): string => nameIn(folder, name, sharing);
  if (speaksTus(request)) {
    beginTus(exchange);
    return answerTusCreate(exchange, uploads, inFolder);
  }
  if (wantsResumption(request)) {
    const metadata = tusMetadata(headers['upload-metadata']);
    const terms = {
      path: inFolder(metadata.get('filename') ?? metadata.get('name') ?? ''),
      size: integerField(headers['content-length']),
      user: exchange.tally.user,
      replace: uploads.options.overwrite === true,
    };
    return answerResumableBegin(exchange, sharing, uploads, terms);
  }
  if (boundary !== undefined) await answerFileForm(exchange, sharing, uploads, folder, boundary);
  else if (fields) await answerActionForm(exchange, sharing, uploads, folder, fields);
}
