/** Ends behind URLs are opened again; their logins are asked for once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askingOnce, openAgain } from '#xfer/cli/open-again.js';
import { Report } from '#xfer/cli/render/report.js';
import { type ErrorCode, XferError } from '#xfer/errors.js';
import { parseLocation } from '#xfer/location.js';
import { testSurroundings } from '../support/surroundings.js';

const { signal } = new AbortController();
const scope = { signal };

async function triesOf(location: string, code: ErrorCode): Promise<number> {
  const around = testSurroundings();
  const report = await Report.open({ quiet: true, verbose: false, json: false }, around);
  let tries = 0;
  const open = async (): Promise<never> => {
    tries += 1;
    throw new XferError(code, 'as the test wants it');
  };
  const terms = { policy: { attempts: 3, firstDelayMs: 1 }, report, signal };
  await assert.rejects(openAgain(parseLocation(location), open, terms), { code });
  return tries;
}

test('a URL is opened again where its server did not answer, and nothing else is', async () => {
  assert.equal(await triesOf('https://192.0.2.1/a', 'DISCONNECTED'), 3);
  assert.equal(await triesOf('http://192.0.2.1/a', 'TIMED_OUT'), 3);
  assert.equal(await triesOf('http://192.0.2.1/a', 'UNREACHABLE'), 1);
  assert.equal(await triesOf('http://192.0.2.1/a', 'DENIED'), 1);
  assert.equal(await triesOf('sftp://192.0.2.1/a', 'DISCONNECTED'), 1);
  assert.equal(await triesOf('/a', 'DISCONNECTED'), 1);
});

test('each question is asked once, however often it comes', async () => {
  const asked: string[] = [];
  const answer = async (question: string): Promise<string> => {
    asked.push(question);
    return `to ${question}`;
  };
  const prompt = askingOnce({ secret: answer, line: answer });
  assert.deepEqual(await Promise.all(['a', 'b', 'a'].map((question) => prompt.secret(question, scope))), [
    'to a',
    'to b',
    'to a',
  ]);
  assert.equal(await prompt.line('a', scope), 'to a');
  assert.deepEqual(asked, ['a', 'b']);
});
