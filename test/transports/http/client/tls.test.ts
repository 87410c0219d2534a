import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { needs } from '../../../support/peers.js';
import { open } from '../hostile-server.js';

const run = promisify(execFile);

/** Opens the URL in its argument and prints the text, or the code of the error. */
const CLIENT = `
  import { text } from 'node:stream/consumers';
  import { parseLocation } from '#xfer/location.js';
  import { transport } from '#xfer/transports/http/index.js';
  const scope = { signal: AbortSignal.timeout(10000) };
  try {
    const source = await transport.openSource(parseLocation(process.argv[1]), {}, scope);
    for await (const entry of source.entries(scope)) console.log(await text(await source.read(entry, { start: 0 }, scope)));
    await source.close();
  } catch (error) {
    console.log(error.code);
  }
`;

async function serveTls(t: TestContext): Promise<{ url: string; certificate: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'xfer-tls-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=test'];
  const names = ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate];
  await run('openssl', ['req', '-x509', ...made, ...names]);
  const server = createServer({ key: await readFile(key), cert: await readFile(certificate) }, (request, response) => {
    if (request.url === '/down') response.writeHead(302, { Location: 'http://127.0.0.1/plain' }).end();
    else response.end('over TLS');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, certificate };
}

test('a certificate is checked, and an encrypted address never redirects to a plain one', {
  ...needs('openssl'),
  timeout: 30_000,
}, async (t) => {
  const { url, certificate } = await serveTls(t);
  await assert.rejects(open(t, `${url}/f`), { code: 'DENIED', hint: /--pin .*--cacert/ });
  const trusting = { env: { ...process.env, NODE_EXTRA_CA_CERTS: certificate }, cwd: import.meta.dirname };
  const get = (path: string) => run(process.execPath, ['--input-type=module', '-e', CLIENT, url + path], trusting);
  assert.equal((await get('/f')).stdout, 'over TLS\n');
  assert.equal((await get('/down')).stdout, 'PROTOCOL\n');
});
