/** Uploads by the old scp protocol into a folder that another program swaps for a link. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Client, ClientChannel } from 'ssh2';
import { whileSwapped } from '../../../support/swapping.js';
import { connect, place } from './rig.js';

const LIMIT = { timeout: 30_000 };
/** Elsewhere the system does not hold a folder for us. */
const LINUX = process.platform === 'linux' ? {} : { skip: 'for Linux' };

/** Says one thing, and resolves with the first byte of the answer; 1 where the channel has ended. */
function told(channel: ClientChannel, words: string): Promise<number> {
  return new Promise((resolve) => {
    const settle = (answer: number) => {
      channel.off('data', onData).off('close', onClose);
      resolve(answer);
    };
    const onData = (bytes: Buffer) => settle(bytes[0] as number);
    const onClose = () => settle(1);
    channel.on('data', onData).on('close', onClose);
    if (channel.writable && words !== '') channel.write(words);
    else if (words !== '') settle(1);
  });
}

/** What `scp -t` makes of a file of one byte, as scp would send it. */
async function upload(client: Client, command: string, ...records: string[]): Promise<void> {
  const channel = await new Promise<ClientChannel>((resolve, reject) => {
    client.exec(command, (error, opened) => (error ? reject(error) : resolve(opened)));
  });
  let refused = (await told(channel, '')) !== 0;
  for (const record of records) if (!refused) refused = (await told(channel, record)) !== 0;
  channel.end();
  channel.resume();
}

test('a folder that is swapped for a link lets no upload out', { ...LIMIT, ...LINUX }, async (t) => {
  const at = await place(t);
  const outside = join(at.above, 'outside');
  for (const folder of [outside, join(at.root, 'd')]) {
    mkdirSync(join(folder, 'made'), { recursive: true });
    writeFileSync(join(folder, 'f'), 'bytes');
  }
  const kept = (name: string) => {
    const { mode, mtimeMs } = statSync(join(outside, name));
    return [name, mode, name === 'f' ? readFileSync(join(outside, name), 'utf8') : mtimeMs];
  };
  const before = () => readdirSync(outside, { recursive: true, encoding: 'utf8' }).sort().map(kept);
  const untouched = before();
  const client = await connect(t, at);
  let arrived = 0;
  await whileSwapped({ at: join(at.root, 'd'), outside }, async () => {
    for (let round = 0; round < 150; round += 1) {
      await Promise.all([
        upload(client, 'scp -t d/f', 'C0600 1 f\n', '!\0').catch(() => undefined),
        upload(client, `scp -t d/new${round}`, 'C0600 1 x\n', '!\0').catch(() => undefined),
        upload(client, 'scp -r -p -t d/made', 'T7 0 7 0\n', `D0711 0 made${round}\n`, 'E\n').catch(() => undefined),
      ]);
      arrived += 1;
    }
  });
  assert.deepEqual(before(), untouched);
  assert.equal(arrived, 150);
});

test('an upload goes through a link to a file inside, and through none that leads out', LIMIT, async (t) => {
  const at = await place(t);
  writeFileSync(join(at.root, 'f'), 'old');
  symlinkSync('f', join(at.root, 'link'));
  symlinkSync('../secret', join(at.root, 'out'));
  const client = await connect(t, at);
  await upload(client, 'scp -t link', 'C0644 1 link\n', '!\0');
  await upload(client, 'scp -t out', 'C0644 1 out\n', '!\0');
  assert.equal(readFileSync(join(at.root, 'f'), 'utf8'), '!');
  assert.equal(readFileSync(join(at.above, 'secret'), 'utf8'), 'outside');
});
