/** A local folder that is served, its archives, and what is in them. */
import { lstatSync, readdirSync, utimesSync } from 'node:fs';
import { type IncomingMessage, get as request } from 'node:http';
import type { TestContext } from 'node:test';
import type { Source } from '#xfer/transport.js';
import type { HttpListenOptions } from '#xfer/transports/http/listen/index.js';
import { transport } from '#xfer/transports/local/index.js';
import { collect } from '../../../../support/fixtures.js';
import { type Served, serve } from '../rig.js';

/** Serves a folder as the command does: confined, with versions and modes. */
export async function serveLocal(
  t: TestContext,
  root: string,
  options: Partial<HttpListenOptions> = {},
): Promise<Served> {
  const scope = { signal: new AbortController().signal };
  const share = (await transport.openSource?.({ scheme: 'file', path: root }, {}, scope)) as Source;
  t.after(() => share.close());
  return serve(t, root, { ...options, share });
}

/** Gives all below a folder, and itself, a time that is long past, so that tags are strong. */
export function age(path: string | Buffer, seconds = 1_600_000_000): void {
  const stats = lstatSync(path);
  const names = stats.isDirectory() ? readdirSync(path, { encoding: 'buffer' }) : [];
  for (const name of names) age(Buffer.concat([Buffer.from(path), Buffer.from('/'), name]), seconds + 3);
  if (!stats.isSymbolicLink()) utimesSync(path, seconds, seconds);
}

export interface Answer {
  readonly status: number;
  readonly fields: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** The answer to a GET, whole; rejects where the connection was cut. */
export async function fetchWhole(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await responseOf(url, headers);
  return { status: response.statusCode ?? 0, fields: response.headers, body: await collect(response) };
}

/** The answer to a GET once its head has come. */
export function responseOf(url: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(url, { headers, agent: false }, resolve).on('error', reject);
  });
}

export interface ZipMember {
  /** One character for each byte. */
  readonly name: string;
  readonly flags: number;
  readonly crc: number;
  readonly size: number;
  readonly offset: number;
  readonly mode: number;
}

const END_BYTES = 22;

/** What the central directory says, read from the end as APPNOTE.TXT 4.3.6 asks. */
export function zipMembers(zip: Buffer): ZipMember[] {
  const end = zip.length - END_BYTES;
  let [count, at] = [zip.readUInt16LE(end + 10), zip.readUInt32LE(end + 16)];
  if (zip.length >= END_BYTES + 20 && zip.readUInt32LE(end - 20) === 0x07064b50) {
    const zip64 = Number(zip.readBigUInt64LE(end - 12));
    [count, at] = [Number(zip.readBigUInt64LE(zip64 + 32)), Number(zip.readBigUInt64LE(zip64 + 48))];
  }
  const members: ZipMember[] = [];
  for (; members.length < count; at += headerLength(zip, at)) members.push(memberAt(zip, at));
  return members;
}

function headerLength(zip: Buffer, at: number): number {
  return 46 + zip.readUInt16LE(at + 28) + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
}

function memberAt(zip: Buffer, at: number): ZipMember {
  if (zip.readUInt32LE(at) !== 0x02014b50) throw new Error(`no central header at ${at}`);
  const nameLength = zip.readUInt16LE(at + 28);
  return {
    name: zip.toString('latin1', at + 46, at + 46 + nameLength),
    flags: zip.readUInt16LE(at + 8),
    crc: zip.readUInt32LE(at + 16),
    size: zip.readUInt32LE(at + 24),
    offset: zip.readUInt32LE(at + 42),
    mode: zip.readUInt16LE(at + 40),
  };
}

/** The bytes of a member that is stored, as its local header places them. */
export function memberBytes(zip: Buffer, { offset, size }: ZipMember): Buffer {
  const start = offset + 30 + zip.readUInt16LE(offset + 26) + zip.readUInt16LE(offset + 28);
  return zip.subarray(start, start + size);
}
