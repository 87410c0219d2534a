/** Every mode by every caller and every way to put, change or look at something. One rule says which of them do. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { HttpListenOptions } from '#xfer/transports/http/listen/index.js';
import type { UploadOptions } from '#xfer/transports/http/listen/upload/options.js';
import { exchange } from '../rig.js';
import { type Box, openBox } from './upload-rig.js';

const TOKEN = 'tokentokentokentoken-2345';
const accounts = [{ user: 'anna', password: 'right' }];
const LOGIN = `Authorization: Basic ${Buffer.from('anna:right').toString('base64')}\r\n`;

interface Mode {
  /** Absent: nothing is received. */
  readonly upload?: UploadOptions;
  readonly options?: Partial<HttpListenOptions>;
}

const MODES: Record<string, Mode> = {
  'read-only': {},
  upload: { upload: {} },
  'upload and manage': { upload: { manage: true } },
  'upload-only': { upload: { only: true } },
  'upload-only and manage': { upload: { only: true, manage: true } },
  'logins for all': { upload: { manage: true }, options: { accounts } },
  'logins for writes': { upload: { manage: true }, options: { accounts, loginFor: 'writes' } },
  token: { upload: { manage: true }, options: { token: TOKEN } },
  'over already': { upload: { manage: true }, options: { expiresMs: 1 } },
};

interface Caller {
  readonly fields: string;
  readonly host?: string;
  readonly token?: boolean;
}

const CALLERS: Record<string, Caller> = {
  'logged in': { fields: LOGIN },
  'not logged in': { fields: '' },
  'a wrong login': { fields: LOGIN.replace('YW', 'YX') },
  'without the token': { fields: LOGIN, token: false },
  'another name': { fields: LOGIN, host: 'evil.example' },
  'a page of another site': { fields: `${LOGIN}Origin: http://evil.example\r\n` },
  'a page without an origin': { fields: `${LOGIN}Origin: null\r\n` },
  'a request from another site': { fields: `${LOGIN}Sec-Fetch-Site: cross-site\r\n` },
  'our own page': { fields: `${LOGIN}Origin: http://test\r\nSec-Fetch-Site: same-origin\r\n` },
};

/** The answer to each wrong login waits longer. */
const BY_A_WRONG_LOGIN = ['GET a file', 'PUT', 'DELETE'];

interface Way {
  readonly needs: 'read' | 'write' | 'manage';
  /** The request for a thing of this name, its target beginning after the prefix. */
  readonly text: (name: string, prefix: string) => { line: string; fields?: string; body?: string };
  /** Whether it did what it is for. */
  readonly worked: (box: Box, name: string, answer: string) => Promise<boolean>;
}

const isThere = (box: Box, name: string): Promise<boolean> =>
  stat(join(box.root, name)).then(
    () => true,
    () => false,
  );
const isMade = (box: Box, name: string): Promise<boolean> => isThere(box, name);
const isGone = async (box: Box, name: string): Promise<boolean> => !(await isThere(box, `there-${name}`));
const given = async (_: Box, __: string, answer: string): Promise<boolean> => answer.includes('THE-CONTENT');

const form = (name: string): string =>
  `--B\r\nContent-Disposition: form-data; name="f"; filename="${name}"\r\n\r\nx\r\n--B--\r\n`;
const TUS = 'Tus-Resumable: 1.0.0\r\n';
const metadata = (name: string): string => `Upload-Metadata: filename ${Buffer.from(name).toString('base64')}\r\n`;
const PLAIN_FORM = 'Content-Type: application/x-www-form-urlencoded\r\n';

const WAYS: Record<string, Way> = {
  'GET a file': { needs: 'read', text: (name) => ({ line: `GET /there-${name}` }), worked: given },
  'GET to save': { needs: 'read', text: (name) => ({ line: `GET /there-${name}?download` }), worked: given },
  'GET a list': {
    needs: 'read',
    text: () => ({ line: 'GET /?json' }),
    worked: async (_, name, answer) => answer.includes(`there-${name}`),
  },
  'GET an archive': { needs: 'read', text: () => ({ line: 'GET /?archive=tar' }), worked: given },
  PUT: { needs: 'write', text: (name) => ({ line: `PUT /${name}`, body: 'x' }), worked: isMade },
  'PUT that resumes': {
    needs: 'write',
    text: (name) => ({ line: `PUT /${name}`, fields: 'Upload-Complete: ?1\r\n', body: 'x' }),
    worked: isMade,
  },
  'POST a form': {
    needs: 'write',
    text: (name) => ({ line: 'POST /', fields: 'Content-Type: multipart/form-data; boundary=B\r\n', body: form(name) }),
    worked: isMade,
  },
  'POST by tus': {
    needs: 'write',
    text: (name) => ({ line: 'POST /', fields: `${TUS}${metadata(name)}Upload-Length: 0\r\n` }),
    worked: isMade,
  },
  MKCOL: { needs: 'write', text: (name) => ({ line: `MKCOL /${name}` }), worked: isMade },
  'POST a folder': {
    needs: 'write',
    text: (name) => ({ line: 'POST /', fields: PLAIN_FORM, body: `action=folder&name=${name}` }),
    worked: isMade,
  },
  DELETE: { needs: 'manage', text: (name) => ({ line: `DELETE /there-${name}` }), worked: isGone },
  'POST a removal': {
    needs: 'manage',
    text: (name) => ({ line: 'POST /', fields: PLAIN_FORM, body: `action=remove&name=there-${name}` }),
    worked: isGone,
  },
  MOVE: {
    needs: 'manage',
    text: (name, prefix) => ({ line: `MOVE /there-${name}`, fields: `Destination: ${prefix}/${name}\r\n` }),
    worked: isMade,
  },
  'POST a new name': {
    needs: 'manage',
    text: (name) => ({ line: 'POST /', fields: PLAIN_FORM, body: `action=rename&name=there-${name}&to=${name}` }),
    worked: isMade,
  },
};

/** The rule. */
function mayWork({ upload, options = {} }: Mode, callerName: string, { needs }: Way): boolean {
  const caller = CALLERS[callerName] as Caller;
  const change = needs !== 'read';
  if (options.expiresMs !== undefined || caller.host !== undefined) return false;
  if (options.token !== undefined && caller.token === false) return false;
  if (change && caller.fields.match(/evil|null|cross-site/)) return false;
  const asks = options.accounts && (change || options.loginFor !== 'writes');
  if (asks && !caller.fields.startsWith(LOGIN)) return false;
  if (needs === 'read') return upload?.only !== true;
  return upload !== undefined && (needs === 'write' || upload.manage === true);
}

for (const [modeName, mode] of Object.entries(MODES)) {
  test(`${modeName}: exactly what may be done is done`, { timeout: 120_000 }, async (t) => {
    const { upload, options = {} } = mode;
    const box = await openBox(t, upload ?? {}, upload ? options : { ...options, receive: undefined as never });
    const prefix = options.token === undefined ? '' : `/${TOKEN}`;
    const did = new Set<string>();
    for (const [callerName, caller] of Object.entries(CALLERS)) {
      for (const [wayName, way] of Object.entries(WAYS)) {
        if (callerName === 'a wrong login' && !BY_A_WRONG_LOGIN.includes(wayName)) continue;
        const cell = `${modeName}, ${callerName}, ${wayName}`;
        const name = `n${randomBytes(6).toString('hex')}`;
        await writeFile(join(box.root, `there-${name}`), 'THE-CONTENT');
        const answer = await exchange(box.port, requestText(way, name, caller, prefix)).catch(() => '');
        const worked = await way.worked(box, name, answer);
        assert.equal(worked, mayWork(mode, callerName, way), `${cell}: ${answer}`);
        if (worked) did.add(wayName);
        else if (way.needs !== 'read') assert.ok(await isThere(box, `there-${name}`), `${cell}: nothing is lost`);
        if (!worked && upload?.only) assert.doesNotMatch(answer, /THE-CONTENT|there-/, cell);
      }
    }
    const may = Object.keys(WAYS).filter((name) => mayWork(mode, 'logged in', WAYS[name] as Way));
    assert.deepEqual([...did].toSorted(), may.toSorted());
    await mkdir(join(box.above, 'x'));
    assert.deepEqual(
      (await readdir(box.above)).filter((name) => !['root', 'records', 'x'].includes(name)),
      [],
    );
  });
}

function requestText(way: Way, name: string, caller: Caller, right: string): string {
  const prefix = caller.token === false ? '' : right;
  const { line, fields = '', body = '' } = way.text(name, prefix);
  const [method, target] = line.split(' ');
  const length = ['GET', 'DELETE', 'MOVE', 'MKCOL'].includes(method as string)
    ? ''
    : `Content-Length: ${body.length}\r\n`;
  const host = `Host: ${caller.host ?? 'test'}\r\nConnection: close\r\n`;
  return `${method} ${prefix}${target} HTTP/1.1\r\n${host}${caller.fields}${fields}${length}\r\n${body}`;
}
