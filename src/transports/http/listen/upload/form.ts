/** POST: forms, as the page has them without a script and as `curl -F` sends them. */
import { Readable } from 'node:stream';
import { XferError } from '../../../../errors.js';
import { lastPart } from '../../../../names.js';
import { collect } from '../../../../streams/collect.js';
import type { Exchange } from '../exchange.js';
import type { Sharing } from '../sharing.js';
import { decodePart } from '../target.js';
import { UploadBody } from './body.js';
import { makeFolder, removeAll, rename } from './folders.js';
import { type FormOutcome, sendOutcome } from './form-outcome.js';
import { type FormPart, parseForm } from './multipart.js';
import { exactNameIn, linkedNameIn, nameIn } from './names.js';
import { type Refusal, refusalOf, refusals } from './refusal.js';
import type { Uploads } from './uploads.js';

const MOST_FIELD_BYTES = 16 << 10;

export type ActionFields = ReadonlyMap<string, string>;

/** Saves each file of a form in a folder. What is not taken is told, and the others are. */
export async function answerFileForm(
  exchange: Exchange,
  sharing: Sharing,
  uploads: Uploads,
  folder: string,
  boundary: string,
): Promise<void> {
  const outcome: FormOutcome = { saved: [], refused: [] };
  const body = new UploadBody(exchange, uploads.idleMs);
  try {
    for await (const part of parseForm(body, boundary)) {
      // A browser sends a part without a name for a field in which nothing was chosen.
      if (part.fileName !== undefined && part.fileName !== '') {
        await savePart(exchange, sharing, uploads, folder, part, outcome);
      }
    }
  } finally {
    body.destroy();
  }
  if (outcome.saved.length + outcome.refused.length === 0) throw refusals.noName();
  sendOutcome(exchange, outcome, uploads.count.usedUp.aborted);
}

async function savePart(
  exchange: Exchange,
  sharing: Sharing,
  uploads: Uploads,
  folder: string,
  part: FormPart,
  { saved, refused }: FormOutcome,
): Promise<void> {
  const name = part.fileName as string;
  try {
    const path = nameIn(folder, name, sharing);
    const terms = { path, user: exchange.tally.user, replace: uploads.options.overwrite === true };
    const upload = await uploads.create(terms, false);
    const bytes = Readable.from(part.bytes, { objectMode: false });
    await uploads.coming(upload, () => upload.receive(bytes, { last: true }));
    saved.push(path.slice(folder === '' ? 0 : folder.length + 1));
  } catch (error) {
    const refusal = refusalOf(error);
    // A body that broke off, or is no form, is no matter of this part alone.
    if (!refusal || refusal.code === 'PROTOCOL' || [400, 408].includes(refusal.status)) throw error;
    refused.push({ name, refusal });
  }
}

/**
 * Does what a small form asks for: makes a folder, renames, removes. What it is about is `name`, as a person types it, or
 * `link`, as a link in the listing has it.
 */
export async function answerActionForm(
  exchange: Exchange,
  sharing: Sharing,
  uploads: Uploads,
  folder: string,
  fields: ActionFields,
): Promise<void> {
  const link = fields.get('link');
  const path =
    link === undefined ? exactNameIn(folder, fields.get('name') ?? '', sharing) : linkedNameIn(folder, link, sharing);
  const outcome: FormOutcome = { saved: [], refused: [] };
  switch (fields.get('action')) {
    case 'folder':
      await makeFolder(sharing, uploads, path);
      break;
    case 'rename':
      await rename(sharing, uploads, path, exactNameIn(folder, fields.get('to') ?? '', sharing), false);
      break;
    case 'remove':
      await removeAll(sharing, uploads, path);
      break;
    default:
      throw refusals.malformed('The action');
  }
  outcome.saved.push(lastPart(path));
  sendOutcome(exchange, outcome);
}

/** The fields of a small form. A Refusal where it asks for nothing: curl says of any bytes to post that they are a form. */
export async function readActionForm(exchange: Exchange, uploads: Uploads): Promise<ActionFields> {
  const body = new UploadBody(exchange, uploads.idleMs);
  const bytes = await collect(body, MOST_FIELD_BYTES, refusals.noForm);
  const text = bytes.toString('latin1');
  if (!/(?:^|&)action=/.test(text)) throw refusals.noForm();
  return parseFields(text);
}

/** Values by their keys, byte for byte: a name need not be UTF-8. `text` has a character for each byte. */
function parseFields(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const pair of text.split('&')) {
    const [key = '', ...rest] = pair.replaceAll('+', '%20').split('=');
    const value = decodePart(rest.join('='));
    if (value === undefined) throw refusals.malformed('The form');
    fields.set(key, value);
  }
  return fields;
}

/** A failure of a form as its outcome, where it is one that a person can be told. */
export function refusedForm(error: unknown): Refusal | undefined {
  return error instanceof XferError && error.code === 'DISCONNECTED' ? undefined : refusalOf(error);
}
