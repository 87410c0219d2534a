/** Scripts that do not stand at the root of their host: below a base path, a token, or both. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask } from '../site/site-rig.js';
import { HEAD, serveScripts } from './cgi-rig.js';

test('a script knows its whole address, and can point at others', { timeout: 30_000 }, async (t) => {
  const token = 'abcdefghijklmnopqrstuvwxyz';
  const scripts = {
    'cgi-bin/env': `${HEAD}; echo "$SCRIPT_NAME|$PATH_INFO|$QUERY_STRING"`,
    'cgi-bin/other': 'printf "Location: %s/env?from=other\\n\\n" "$(dirname "$SCRIPT_NAME")"',
  };
  const { port } = await serveScripts(t, scripts, {}, { options: { basePath: '/b', token } });
  assert.equal((await ask(port, `/b/${token}/cgi-bin/env/more?q=1`)).body, `/b/${token}/cgi-bin/env|/more|q=1\n`);
  const { status, location = '' } = await ask(port, `/b/${token}/cgi-bin/other`);
  assert.deepEqual([status, location], [302, `/b/${token}/cgi-bin/env?from=other`]);
  assert.equal((await ask(port, location)).body, `/b/${token}/cgi-bin/env||from=other\n`);
  for (const target of ['/cgi-bin/env', '/b/cgi-bin/env']) assert.equal((await ask(port, target)).status, 404, target);
  // It is not escaped there (RFC 3875, 4.1.13).
  const spaced = await serveScripts(t, scripts, {}, { options: { basePath: '/a%20b/ü' } });
  assert.equal((await ask(spaced.port, '/a%20b/%C3%BC/cgi-bin/env')).body, '/a b/ü/cgi-bin/env||\n');
});
