import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SftpClient } from '#xfer/transports/ssh/sftp/client.js';
import { SharedHandles } from '#xfer/transports/ssh/sftp/shared-handles.js';

const scope = { signal: new AbortController().signal };
const path = Buffer.from('big');

/** Says what was asked of a session, whose OPENs are answered in turn. */
function session() {
  const asked: string[] = [];
  const answers: ((handle: Buffer | Error) => void)[] = [];
  const client = {
    open: (file: Buffer) => {
      asked.push(`open ${file}`);
      return new Promise<Buffer>((resolve, reject) => {
        answers.push((handle) => (handle instanceof Error ? reject(handle) : resolve(handle)));
      });
    },
    close: async (handle: Buffer) => void asked.push(`close ${handle}`),
  };
  return { client: client as unknown as SftpClient, asked, answers };
}

test('those who read one file over one session share a handle, which the last one closes', async () => {
  const { client, asked, answers } = session();
  const handles = new SharedHandles();
  const taking = [handles.take(client, path, scope), handles.take(client, path, scope)];
  answers[0]?.(Buffer.from('h1'));
  const [one, other] = await Promise.all(taking);
  assert.deepEqual([`${one?.handle}`, `${other?.handle}`], ['h1', 'h1']);
  one?.release();
  await new Promise(setImmediate);
  assert.deepEqual(asked, ['open big']);
  other?.release();
  await new Promise(setImmediate);
  assert.deepEqual(asked, ['open big', 'close h1']);
  const again = handles.take(client, path, scope);
  answers[1]?.(Buffer.from('h2'));
  assert.equal(`${(await again).handle}`, 'h2');
});

test('other files and other sessions have handles of their own', async () => {
  const [one, other] = [session(), session()];
  const handles = new SharedHandles();
  void handles.take(one.client, path, scope);
  void handles.take(one.client, Buffer.from('other'), scope);
  void handles.take(other.client, path, scope);
  assert.deepEqual([one.asked, other.asked], [['open big', 'open other'], ['open big']]);
});

test('who gives up while it is opened does not take it from the others', async () => {
  const { client, asked, answers } = session();
  const handles = new SharedHandles();
  const stop = new AbortController();
  const given = handles.take(client, path, { signal: stop.signal });
  const kept = handles.take(client, path, scope);
  stop.abort(new Error('given up'));
  await assert.rejects(given, /given up/);
  answers[0]?.(Buffer.from('h'));
  (await kept).release();
  await new Promise(setImmediate);
  assert.deepEqual(asked, ['open big', 'close h']);
});

test('a file that cannot be opened is told to all who wait, and asked for again by the next', async () => {
  const { client, asked, answers } = session();
  const handles = new SharedHandles();
  const taking = [handles.take(client, path, scope), handles.take(client, path, scope)];
  answers[0]?.(new Error('no such file'));
  for (const each of taking) await assert.rejects(each, /no such file/);
  void handles.take(client, path, scope);
  assert.deepEqual(asked, ['open big', 'open big']);
});
