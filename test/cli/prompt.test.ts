import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { createPrompt, type Terminal } from '#xfer/cli/prompt.js';
import type { Input } from '#xfer/cli/surroundings.js';
import { captured, testSurroundings } from '../support/surroundings.js';
import { until } from '../support/until.js';

function terminal() {
  const modes: boolean[] = [];
  const input: Input & PassThrough = Object.assign(new PassThrough(), {
    setRawMode: (raw: boolean) => void modes.push(raw),
  });
  const output = captured();
  let released = 0;
  const made: Terminal = { input, output, release: () => released++ };
  return { input, output, modes, made, released: () => released };
}

const scope = () => ({ signal: new AbortController().signal });

test('a secret is not shown, and its keys are understood', { timeout: 5000 }, async () => {
  const { input, output, modes, made, released } = terminal();
  const prompt = createPrompt(testSurroundings(), () => made);
  const answer = prompt.secret('Pass\u001b[31mword: ', scope());
  input.write('wrong\u0015se');
  input.write(Buffer.from('cr\u007fçx\u007f', 'utf8'));
  input.write('ret\r');
  assert.equal(await answer, 'secçret');
  assert.deepEqual(modes, [true, false]);
  assert.equal(output.text(), 'Pass\\x1b[31mword: \n');
  assert.equal(released(), 1);
});

test('questions are asked one at a time', { timeout: 5000 }, async () => {
  const { input, output, made } = terminal();
  const prompt = createPrompt(testSurroundings(), () => made);
  const first = prompt.line('first? ', scope());
  const second = prompt.line('second? ', scope());
  await until(() => output.text() === 'first? ');
  input.write('one\n');
  assert.equal(await first, 'one');
  await until(() => output.text() === 'first? second? ');
  input.write('two\n');
  assert.equal(await second, 'two');
});

test('what is typed before a question shows is no answer to it', { timeout: 5000 }, async () => {
  const { input, output, made, modes } = terminal();
  const prompt = createPrompt(testSurroundings(), () => made);
  input.write('y\n');
  const first = prompt.line('first? ', scope());
  await until(() => output.text() === 'first? ');
  input.write('no\ny\n');
  assert.equal(await first, 'no');
  const second = prompt.line('second? ', scope());
  await until(() => output.text() === 'first? second? ');
  input.write('not that\n');
  assert.equal(await second, 'not that');
  assert.deepEqual(modes, [true, false, true, false]);
});

test('lines that come at once answer one question each', { timeout: 5000 }, async () => {
  const { input, made } = terminal();
  const prompt = createPrompt(testSurroundings(), () => made);
  const first = prompt.secret('first? ', scope());
  input.write('one\rtwo\r\nthr');
  assert.equal(await first, 'one');
  assert.equal(await prompt.secret('second? ', scope()), 'two');
  const third = prompt.secret('third? ', scope());
  input.write('ee\r');
  assert.equal(await third, 'three');
});

test('without a terminal nobody answers', { timeout: 5000 }, async () => {
  const prompt = createPrompt(testSurroundings(), () => undefined);
  assert.equal(await prompt.secret('Password: ', scope()), undefined);
  const windows = createPrompt(testSurroundings({ platform: 'win32' }));
  assert.equal(await windows.line('Continue? ', scope()), undefined);
});

test('Ctrl-D gives up, and Ctrl-C interrupts', { timeout: 5000 }, async () => {
  const { input, made } = terminal();
  const around = testSurroundings();
  const prompt = createPrompt(around, () => made);
  const given = prompt.secret('Password: ', scope());
  input.write('half\u0004');
  assert.equal(await given, undefined);
  const interrupted = prompt.secret('Password: ', { signal: around.stop.signal });
  input.write('\u0003');
  await assert.rejects(interrupted, (error) => error === around.stop.signal.reason);
  assert.equal(input.listenerCount('data'), 0);
});

test('a question that is not answered ends its line all the same', { timeout: 5000 }, async () => {
  const { input, output, made } = terminal();
  const stop = new AbortController();
  const prompt = createPrompt(testSurroundings(), () => made);
  const answer = prompt.line('sure? ', { signal: stop.signal });
  await until(() => output.text() !== '');
  stop.abort(new Error('enough'));
  await assert.rejects(answer);
  assert.equal(output.text(), 'sure? \n');
  const given = prompt.line('really? ', scope());
  await until(() => output.text().endsWith('really? '));
  input.write('yes\n');
  assert.equal(await given, 'yes');
  assert.ok(output.text().endsWith('really? '), 'the terminal shows Enter by itself');
});

test('an abort ends the question and gives the terminal back', { timeout: 5000 }, async () => {
  const { input, made, modes, released } = terminal();
  const stop = new AbortController();
  const prompt = createPrompt(testSurroundings(), () => made);
  const answer = prompt.secret('Password: ', { signal: stop.signal });
  const reason = new Error('enough');
  setImmediate(() => stop.abort(reason));
  await assert.rejects(answer, reason);
  assert.deepEqual(modes, [true, false]);
  assert.equal(released(), 1);
  assert.equal(input.listenerCount('data'), 0);
});
