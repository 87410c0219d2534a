/** The same scripts behind `python3 -m http.server --cgi` and behind ours. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import { test } from 'node:test';
import { needs } from '../support/peers.js';
import { startProgram } from '../support/run-xfer.js';
import { post, serveScripts } from '../transports/http/listen/cgi/cgi-rig.js';
import { ask } from '../transports/http/listen/site/site-rig.js';

/** Python has dropped it in 3.15. */
function needsPythonCgi(): { skip?: string } {
  const missing = needs('python3');
  if (missing.skip) return missing;
  const { status } = spawnSync('python3', ['-W', 'ignore', '-c', 'from http.server import CGIHTTPRequestHandler']);
  return status === 0 ? {} : { skip: 'this python3 runs no scripts any more' };
}

/** With CR LF: Python hands on what it gets. */
const HEAD = "printf 'Content-Type: text/plain\\r\\n\\r\\n'";

const SCRIPTS = {
  'cgi-bin/hello': `${HEAD}; echo "Hello World"`,
  'cgi-bin/child-dir/hello': `${HEAD}; echo nested`,
  'cgi-bin/query': `${HEAD}; echo "$QUERY_STRING"`,
  'cgi-bin/info': `${HEAD}; echo "$SCRIPT_NAME $PATH_INFO $REQUEST_METHOD $CONTENT_TYPE $CONTENT_LENGTH $HTTP_ACCEPT $HTTP_COOKIE $HTTP_USER_AGENT $GATEWAY_INTERFACE $REMOTE_ADDR"`,
  'cgi-bin/cat': `${HEAD}; exec head -c "$CONTENT_LENGTH"`,
};

test('answers are those of python3', { timeout: 30_000, ...needsPythonCgi() }, async (t) => {
  const ours = await serveScripts(t, SCRIPTS, {}, { files: { 'cgi-bin/plain': 'MARKER', 'a.txt': 'a' } });
  // Under root it runs them as nobody.
  await chmod(ours.root, 0o755);
  const args = ['-W', 'ignore', '-u', '-m', 'http.server', '--cgi', '--bind', '127.0.0.1', '0'];
  const python = startProgram('python3', args, { cwd: ours.root });
  t.after(() => python.stop());
  const [, digits] = await python.waitForLine(/port (\d+)/);
  const ports = [ours.port, Number(digits)];
  // Without a Content-Type python3 makes one up.
  const fields = { 'content-type': 'text/plain', accept: 'text/html', cookie: 'a=1; b=2', 'user-agent': 'test' };
  for (const path of [
    '/cgi-bin/hello',
    '/cgi-bin/child-dir/hello',
    '/cgi-bin/query?a=b?c=d',
    '/cgi-bin/query?k=aa%2F%2Fbb&//q//p//=//a//b//',
    '/cgi-bin/info/extra/path',
    '/cgi-bin/info?x',
    '/cgi-bin/none',
    '/cgi-bin/plain',
    '/cgi-bin/child-dir/none',
    '/a.txt',
    '/none',
  ]) {
    const [mine, theirs] = await Promise.all(ports.map((port) => ask(port, path, fields)));
    assert.equal(mine?.status, theirs?.status, path);
    if (mine?.status === 200) assert.equal(mine.body, theirs?.body, path);
  }
  const body = Buffer.from('spam=1&eggs=python');
  for (const path of ['/cgi-bin/cat', '/cgi-bin/info']) {
    const [mine, theirs] = await Promise.all(
      ports.map((port) => post(port, path, body, { ...fields, 'content-type': 'a/b' })),
    );
    assert.deepEqual([mine?.status, mine?.body.toString()], [theirs?.status, theirs?.body.toString()], path);
  }
});
