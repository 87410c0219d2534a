import assert from 'node:assert/strict';
import { test } from 'node:test';
import { typedWords } from '#xfer/cli/typed-words.js';

const never = () => {
  throw new Error('the command line was read');
};
const line = (...words: (string | Buffer)[]) =>
  Buffer.concat(words.flatMap((word) => [Buffer.from(word as string), Buffer.of(0)]));

test('words that are text come as Node has them', () => {
  assert.deepEqual(typedWords(['node', 'xfer', 'cp', 'é', ''], 'linux', never), ['cp', 'é', '']);
});

test('bytes that are no UTF-8 are kept', () => {
  const name = Buffer.from('a\xff', 'latin1');
  const read = () => line('node', '--no-warnings', 'xfer', 'cp', '', name, '\uFFFD');
  assert.deepEqual(typedWords(['node', 'xfer', 'cp', '', 'a\uFFFD', '\uFFFD'], 'linux', read), [
    'cp',
    '',
    'a\udcff',
    '\uFFFD',
  ]);
});

test("a command line that is not this process's, or that cannot be read, is not used", () => {
  const words = ['cp', 'a\uFFFD'];
  assert.deepEqual(
    typedWords(['node', 'xfer', ...words], 'linux', () => line('other', 'words')),
    words,
  );
  assert.deepEqual(
    typedWords(['node', 'xfer', ...words], 'linux', () => line('x')),
    words,
  );
  assert.deepEqual(typedWords(['node', 'xfer', ...words], 'linux', never), words);
  assert.deepEqual(typedWords(['node', 'xfer', ...words], 'darwin', never), words);
});
