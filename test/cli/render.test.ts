import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBarView } from '#xfer/cli/render/bar.js';
import { formatBytes, formatDuration, parseRate } from '#xfer/cli/render/format.js';
import { eventRecord, jsonLine } from '#xfer/cli/render/json.js';
import { Report, summaryOf } from '#xfer/cli/render/report.js';
import { Tally } from '#xfer/cli/render/tally.js';
import { barTokens, createLineView, ticking, type View } from '#xfer/cli/render/view.js';
import { columnsOf } from '#xfer/cli/render/width.js';
import { Stopped } from '#xfer/cli/stopped.js';
import type { CopyResult } from '#xfer/copy/index.js';
import { XferError } from '#xfer/errors.js';
import { captured, testSurroundings } from '../support/surroundings.js';
import { until } from '../support/until.js';

const HOSTILE = 'a\u001b]0;x\u0007\u009b2J\u202egpj.exe\n$& :amounts \udc80';
const ACTING = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/u;

const result: CopyResult = {
  files: 3,
  directories: 1,
  symlinks: 0,
  skipped: 0,
  excluded: 0,
  alreadyWhole: 0,
  bytes: 1_258_291,
  resumedBytes: 0,
  failures: [],
  verified: 'size',
  readBack: false,
  elapsedMs: 400,
  digests: new Map([['a', 'ff']]),
};

test('numbers as a person reads them', () => {
  assert.deepEqual([0, 999, 1023, 1024, 1_258_291, 10_480_000, 1024 ** 3 - 1, 3 * 1024 ** 4].map(formatBytes), [
    '0 B',
    '999 B',
    '1023 B',
    '1.0 KiB',
    '1.2 MiB',
    '10 MiB',
    '1.0 GiB',
    '3.0 TiB',
  ]);
  assert.deepEqual([4, 400, 12_000, 59_700, 185_000, 7_385_000].map(formatDuration), [
    '4 ms',
    '0.4 s',
    '12 s',
    '1:00',
    '3:05',
    '2:03:05',
  ]);
  assert.deepEqual(
    ['80000', '500K', '1.5m', '2MiB', '1G'].map((text) => parseRate('limit', text)),
    [80_000, 512_000, 1_572_864, 2_097_152, 2 ** 30],
  );
  for (const text of ['', '0', '-1', 'fast', '1T', '9'.repeat(30)])
    assert.throws(() => parseRate('limit', text), { code: 'USAGE', message: /^option --limit/ });
});

test('the tally adds what each file holds, and says 1 only at the end', () => {
  let nowMs = 0;
  const tally = new Tally(() => nowMs);
  tally.take({ type: 'plan', files: 1, bytes: 100, complete: false });
  assert.equal(tally.ratio, undefined);
  tally.take({ type: 'plan', files: 2, bytes: 300, complete: true });
  tally.take({ type: 'start', path: 'a', heldBytes: 0 });
  nowMs = 1000;
  tally.take({ type: 'progress', path: 'a', bytes: 60 });
  nowMs = 2000;
  tally.take({ type: 'progress', path: 'b', bytes: 40 });
  tally.take({ type: 'progress', path: 'a', bytes: 100 });
  assert.equal(tally.held, 140);
  assert.equal(tally.bytesPerSecond, 70);
  assert.equal(Math.round(tally.leftMs ?? 0), 2286);
  tally.take({ type: 'finish', path: 'a', bytes: 100 });
  tally.take({ type: 'progress', path: 'b', bytes: 199 });
  assert.ok((tally.ratio ?? 1) < 1);
  tally.take({ type: 'finish', path: 'b', bytes: 200 });
  assert.equal(tally.ratio, 1);
  assert.equal(tally.filesDone, 2);
});

test('what an earlier run had left counts as held, and not for the rate', () => {
  let nowMs = 0;
  const tally = new Tally(() => nowMs);
  tally.take({ type: 'plan', files: 1, bytes: 1000, complete: true });
  tally.take({ type: 'start', path: 'a', heldBytes: 800, size: 1000 });
  assert.equal(tally.ratio, 0.8);
  nowMs = 1000;
  tally.take({ type: 'progress', path: 'a', bytes: 850 });
  assert.deepEqual([tally.held, tally.bytesPerSecond, tally.leftMs], [850, 50, 3000]);
  nowMs = 2000;
  tally.take({ type: 'start', path: 'b', heldBytes: 100, size: 200 });
  assert.deepEqual([tally.held, tally.bytesPerSecond], [950, 25]);
});

test('a hostile name acts on no terminal, as text, bar or JSON', { timeout: 5000 }, async () => {
  const around = testSurroundings();
  const report = await Report.open({ quiet: false, verbose: true, json: false }, around);
  const error = new XferError('DENIED', `read ${HOSTILE}: permission denied`);
  report.onEvent({ type: 'start', path: HOSTILE, heldBytes: 0 });
  report.onEvent({ type: 'retry', path: HOSTILE, attempt: 1, delayMs: 200, error });
  report.onEvent({ type: 'skip', path: HOSTILE, reason: HOSTILE });
  report.onEvent({ type: 'finish', path: HOSTILE, bytes: 5 });
  report.onNotice(HOSTILE);
  report.end({ ...result, failures: [{ path: HOSTILE, error }] });
  const text = around.stderr.text();
  assert.doesNotMatch(text, ACTING);
  assert.equal(text.trimEnd().split('\n').length, 7);
  assert.equal(around.stdout.text(), '');

  const line = jsonLine(eventRecord({ type: 'fail', path: HOSTILE, error }));
  assert.doesNotMatch(line, ACTING);
  assert.equal(JSON.parse(line).path, HOSTILE);
  assert.equal(JSON.parse(line).error.exit, 4);
});

test('the bar puts a name in as it is, and fits the terminal', () => {
  const lines: string[] = [];
  const output = Object.assign(captured({ isTTY: true, columns: 100 }), {
    cursorTo: () => true,
    clearLine: () => true,
  });
  output.write = ((text: string) => lines.push(text) > 0) as typeof output.write;
  let nowMs = 0;
  const tally = new Tally(() => nowMs);
  const bar = createBarView(output, () => nowMs);
  tally.take({ type: 'plan', files: 1, bytes: 2048, complete: true });
  tally.take({ type: 'progress', path: '$& :amounts', bytes: 1024, size: 2048 });
  bar.show(tally);
  bar.show(tally);
  assert.equal(lines.length, 1);
  assert.match(lines[0] as string, /^\$& :amounts +50% \[=+> +\] 1\.0 KiB\/2\.0 KiB$/);
  bar.line('a line');
  assert.equal(lines[1], 'a line');
  nowMs = 1000;
  bar.end();
  bar.line('after');
  assert.equal(lines.at(-1), 'after\n');
});

/** The line of a bar that is drawn once, on a terminal of so many columns. */
function drawnBar(tally: Tally, columns: number): string {
  const output = Object.assign(captured({ isTTY: true, columns }), { cursorTo: () => true, clearLine: () => true });
  createBarView(output, () => 0).show(tally);
  return output.text();
}

test('the line of the bar is shorter than the terminal is wide, whatever it says', () => {
  const long = `${'日本語'.repeat(30)} $& :bar :amounts :share`;
  const GIB = 1024 ** 3;
  for (const [files, complete, path] of [
    [1, true, 'a'],
    [1, true, long],
    [2001, true, long],
    [1_234_567, true, 'b.bin'],
    [1, false, 'a'],
    [2001, false, long],
  ] as const) {
    let nowMs = 0;
    const tally = new Tally(() => nowMs);
    tally.take({ type: 'plan', files, bytes: 2000 * GIB, complete });
    tally.take({ type: 'start', path, heldBytes: 0 });
    for (const [atMs, bytes] of [
      [1000, 1000 * GIB - 1],
      [30_000, 1000 * GIB],
      [31_000, 2000 * GIB],
    ] as const) {
      nowMs = atMs;
      if (atMs !== 30_000) tally.take({ type: 'progress', path, bytes });
      for (let columns = 10; columns <= 200; columns++) {
        const line = drawnBar(tally, columns);
        assert.ok(columnsOf(line) < columns, `${columns}: ${line}`);
        if (columns >= 12) assert.ok(columnsOf(`${line}^C`) < columns, `${columns}: ${line}^C`);
        if (columns >= 38) assert.match(line, /\[[=> ]{4,24}\] [0-9]/, `${columns}`);
      }
    }
  }
});

test('a stall shows: the rate falls, and after some seconds its length is said', () => {
  let nowMs = 0;
  const tally = new Tally(() => nowMs);
  tally.take({ type: 'plan', files: 3, bytes: 4096, complete: true });
  tally.take({ type: 'start', path: 'a', heldBytes: 0 });
  nowMs = 1000;
  tally.take({ type: 'progress', path: 'a', bytes: 1024 });
  assert.equal(barTokens(tally, 100).amounts, '1.0 KiB/4.0 KiB  1.0 KiB/s  3.0 s left  0/3 files');
  nowMs = 4000;
  assert.equal(tally.bytesPerSecond, 256);
  nowMs = 8000;
  assert.equal(tally.bytesPerSecond, 0);
  assert.equal(barTokens(tally, 100).amounts, '1.0 KiB/4.0 KiB  stalled for 7.0 s  0/3 files');
  tally.take({ type: 'progress', path: 'a', bytes: 2048 });
  nowMs = 9000;
  assert.match(barTokens(tally, 100).amounts as string, /^2\.0 KiB\/4\.0 KiB {2}\S+ \S+\/s/);
});

test('a view is shown again and again until its end', { timeout: 10_000 }, async () => {
  let shown = 0;
  let ends = 0;
  const inner: View = { show: () => (shown += 1), line: () => undefined, end: () => (ends += 1) };
  const view = ticking(inner, 1);
  const keepAlive = setInterval(() => undefined, 1000);
  view.show(new Tally());
  while (shown < 5) await new Promise((resolve) => setTimeout(resolve, 1));
  view.end();
  const before = shown;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual([shown, ends], [before, 1]);
  clearInterval(keepAlive);
});

test('no bar comes over a question', { timeout: 5000 }, async () => {
  const around = testSurroundings();
  const terminal = Object.assign(captured({ isTTY: true, columns: 80 }), {
    cursorTo: () => true,
    clearLine: () => true,
  });
  const report = await Report.open({ quiet: false, verbose: false, json: false }, { ...around, stderr: terminal });
  let answer = (_text: string): void => undefined;
  const prompt = report.asking({
    secret: () => new Promise((resolve) => (answer = resolve)),
    line: async () => 'a line',
  });
  const scope = { signal: new AbortController().signal };
  const asked = prompt.secret('password: ', scope);
  report.onEvent({ type: 'plan', files: 1, bytes: 10, complete: true });
  assert.equal(terminal.text(), '');
  answer('typed');
  assert.equal(await asked, 'typed');
  assert.equal(await prompt.line('sure? ', scope), 'a line');
  report.onEvent({ type: 'plan', files: 1, bytes: 10, complete: true });
  assert.match(terminal.text(), /\[/);
  report.end();
});

test('a copy that is stopped takes its bar away, and after a while says what it waits for', {
  timeout: 5000,
}, async () => {
  const around = testSurroundings();
  const terminal = Object.assign(captured({ isTTY: true, columns: 80 }), {
    cursorTo: () => true,
    clearLine: () => true,
  });
  const report = await Report.open({ quiet: false, verbose: false, json: false }, { ...around, stderr: terminal });
  report.stopping();
  report.onEvent({ type: 'progress', path: 'a', bytes: 5, size: 10 });
  assert.equal(terminal.text(), '');
  await until(() => terminal.text() !== '');
  assert.match(terminal.text(), /^waiting for both ends .*Ctrl-C again to end at once\n$/);
  report.end();

  const reason = new Stopped('stopped by SIGINT', 130);
  assert.equal(report.stopped(reason), reason);
  report.onEvent({ type: 'suspend', path: 'a', heldBytes: 5 });
  const { message, exitCode, hint } = report.stopped(reason) as Stopped;
  assert.deepEqual([message, exitCode], [reason.message, 130]);
  assert.match(hint ?? '', /same command again/);
});

test('without a terminal a line comes now and then', () => {
  const output = captured();
  let nowMs = 0;
  const tally = new Tally(() => nowMs);
  const view = createLineView(output, () => nowMs);
  tally.take({ type: 'plan', files: 1, bytes: 2048, complete: true });
  for (nowMs = 0; nowMs < 11_000; nowMs += 1000) view.show(tally);
  assert.equal(output.text().split('\n').length - 1, 2);
});

test('quiet says only what failed, json only events', { timeout: 5000 }, async () => {
  const around = testSurroundings();
  const failures = [{ path: 'a', error: new XferError('DENIED', 'read a: permission denied', { hint: 'chmod' }) }];
  const quiet = await Report.open({ quiet: true, verbose: false, json: false }, around);
  quiet.onNotice('a banner');
  quiet.onEvent({ type: 'leftover', path: 'h:d', error: new XferError('DISCONNECTED', 'unfinished files in d: lost') });
  quiet.end({ ...result, failures });
  const leftover = 'xfer: h:d: unfinished files in d: lost\n';
  assert.equal(around.stderr.text(), `${leftover}xfer: read a: permission denied\n  hint: chmod\n`);

  const taken = testSurroundings();
  const json = await Report.open({ quiet: false, verbose: false, json: true, stdoutTaken: true }, taken);
  json.onEvent({ type: 'done', result: { ...result, failures } });
  json.end(result);
  assert.equal(taken.stdout.text(), '');
  const done = JSON.parse(taken.stderr.text());
  assert.deepEqual([done.type, done.digests, done.failures[0].error.code], ['done', { a: 'ff' }, 'DENIED']);
});

test('the summary says what was and what was not', () => {
  assert.equal(summaryOf(result), '3 files, 1.2 MiB in 0.4 s (3.0 MiB/s)');
  const error = new XferError('DENIED', 'no');
  const mixed = {
    ...result,
    files: 1,
    skipped: 2,
    resumedBytes: 1024,
    verified: 'sha256',
    failures: [{ path: 'a', error }],
  } as const;
  assert.match(
    summaryOf(mixed),
    /^1 file, .*1\.0 KiB were there already, sha256 checked by the far side, 2 left out, 1 failed$/,
  );
});

test('a lost line is one word on the screen however many files it fails, and each of them in JSON', async () => {
  const lines = async (json: boolean) => {
    const around = testSurroundings();
    const report = await Report.open({ quiet: false, verbose: false, json }, around);
    const lose = (error: XferError) => {
      for (const path of ['a', 'b', 'c']) report.onEvent({ type: 'retry', path, attempt: 2, delayMs: 100, error });
      report.onNotice('host: the connection was lost; connecting again', error);
    };
    lose(new XferError('DISCONNECTED', 'connection to host: it ended'));
    lose(new XferError('DISCONNECTED', 'connection to host: it ended'));
    report.onNotice('a banner');
    report.onNotice('a banner');
    report.end();
    return (json ? around.stdout : around.stderr).text().trimEnd().split('\n');
  };
  const said = await lines(false);
  const lost = 'a: connection to host: it ended; try 2 in 0.1 s';
  assert.deepEqual(
    said.map((line) => line.replace(/^xfer: /, '')),
    [lost, lost, 'a banner', 'a banner'],
  );
  assert.equal((await lines(true)).length, 10);
});
