/** What a program may give to open a location and to listen: values at run time, names at compile time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copy, dropMemoryTree, type HttpListenOptions, Limiter, listen, openSink, openSource } from '#xfer/index.js';
import { failsWith } from './support/fails-with.js';

const NO_PORTS = [70_000, -1, 1.5, Number.NaN];

test('a listener refuses what is no port as USAGE', async () => {
  for (const port of NO_PORTS) {
    for (const scheme of ['http', 'sftp', 'tcp'] as const) {
      await assert.rejects(listen(scheme, { port }), failsWith('USAGE', new RegExp(`^port ${port}: not a number`)));
    }
  }
});

test('a location with what is no port is USAGE', async () => {
  for (const port of NO_PORTS) {
    for (const scheme of ['http', 'sftp', 'tcp']) {
      const location = { scheme, host: '127.0.0.1', port, path: 'f' };
      await assert.rejects(openSource(location), failsWith('USAGE', /not a number/));
      await assert.rejects(openSink(location), failsWith('USAGE', /not a number/));
    }
  }
});

/** Compiled and never called: each misspelt option must be an error of the compiler. */
async function misspelt(scheme: string): Promise<void> {
  // @ts-expect-error It is `hosts`: this would listen on all addresses.
  await listen('http', { host: '127.0.0.1', port: 0 });
  // @ts-expect-error It is `accounts`.
  await listen('sftp', { acounts: [], port: 0 });
  // @ts-expect-error It is `allow`.
  await listen('tcp', { alow: ['192.0.2.0/24'], port: 0 });
  // @ts-expect-error Only the common options are known of a scheme that is not.
  await listen(scheme, { host: '127.0.0.1', port: 0 });
  // @ts-expect-error It is `links`.
  await openSource('x', { linsk: 'keep' });
  // @ts-expect-error It is `inPlace`.
  await openSink('x', { inplace: true });
}

async function spelt(scheme: string, served: HttpListenOptions): Promise<void> {
  await listen('http', { hosts: ['127.0.0.1'], port: 0, hidden: true });
  await listen('https', served);
  await listen('tcp', { hosts: ['127.0.0.1'], port: 0, allow: [] });
  await listen<{ readonly own: string }>(scheme, { port: 0, own: 'x' });
  await openSource('http://192.0.2.2/', { headers: ['A: b'], links: 'keep' });
  await openSource<{ readonly own: string }>('x', { own: 'x' });
  await openSink('tcp://192.0.2.2:9000', { idleTimeoutMs: 1000 });
}

test('a misspelt option is an error of the compiler, and a right one is none', () => {
  assert.deepEqual([typeof misspelt, typeof spelt], ['function', 'function']);
});

test('several copies share one limiter, and a tree in memory is forgotten', { timeout: 10_000 }, async () => {
  const name = `shared-${process.pid}`;
  const limiter = new Limiter(1e9);
  for (const path of ['a', 'b']) {
    const [from, to] = [await openSource(import.meta.filename), await openSink(`memory://${name}/${path}`)];
    assert.equal((await copy([from], to, { limiter })).files, 1);
  }
  await openSource(`memory://${name}/a`);
  dropMemoryTree(name);
  await assert.rejects(openSource(`memory://${name}/a`), failsWith('NOT_FOUND'));
});
