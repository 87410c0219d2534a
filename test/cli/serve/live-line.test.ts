import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columnsOf, shorten } from '#xfer/cli/render/width.js';
import { LiveLine, type Shown, transfersLine } from '#xfer/cli/serve/live-line.js';
import type { Transfer } from '#xfer/transport.js';
import { captured } from '../../support/surroundings.js';

type Moving = { -readonly [Key in keyof Transfer]: Transfer[Key] };

function transfer(given: Partial<Transfer> = {}): Moving {
  return { client: '192.0.2.7', path: 'photos/disk.img', bytes: 45, totalBytes: 100, startMs: 0, ...given };
}

function shown(given: Partial<Transfer> = {}, bytesPerSecond = 59 * 2 ** 20): Shown {
  return { transfer: transfer(given), bytesPerSecond };
}

test('one transfer, several, and none', () => {
  assert.equal(transfersLine([], 80), '');
  assert.equal(transfersLine([shown()], 80), 'disk.img to 192.0.2.7 45% 59 MiB/s');
  const { transfer, ...rest } = shown();
  const incoming = { ...rest, transfer: { ...transfer, incoming: true } };
  assert.equal(transfersLine([incoming], 80), 'disk.img from 192.0.2.7 45% 59 MiB/s');
  assert.equal(
    transfersLine([shown(), shown({ path: '', totalBytes: undefined, bytes: 2048 }, 0)], 100),
    '2 transfers 59 MiB/s: disk.img to 192.0.2.7 45% 59 MiB/s, / to 192.0.2.7 2.0 KiB',
  );
});

test('it never takes more columns than there are, whatever the names are', () => {
  const names = [
    'film 映画.mkv',
    'a'.repeat(300),
    '🧑‍🚀🧑‍🚀🧑‍🚀',
    'e\u0301'.repeat(40),
    '\x1b[2J\n\u202egpj',
    '한국어'.repeat(20),
  ];
  for (const columns of [1, 2, 10, 39, 40, 79, 200]) {
    for (let count = 1; count <= names.length; count += 1) {
      const line = transfersLine(
        names.slice(0, count).map((path) => shown({ path })),
        columns,
      );
      assert.ok(columnsOf(line) <= columns, `${columnsOf(line)} of ${columns}: ${line}`);
      assert.ok(!/[\p{Cc}\u202e]/u.test(line), JSON.stringify(line));
    }
  }
  const several = transfersLine([shown(), shown(), shown()], 70);
  assert.equal(several, '3 transfers 177 MiB/s: disk.img to 192.0.2.7 45% 59 MiB/s, …');
});

test('columns of text, and names whose front is cut', () => {
  assert.deepEqual(['abc', '映画', 'e\u0301', '한', 'ﬀ'].map(columnsOf), [3, 4, 1, 2, 1]);
  assert.equal(shorten('long-name.txt', 8), '…ame.txt');
  assert.equal(shorten('映画映画.mkv', 9), '…映画.mkv');
  assert.equal(shorten('映画映画.mkv', 8), '…画.mkv');
});

test('a short transfer is never drawn, a long one until it ends', () => {
  let nowMs = 0;
  const output = captured({ isTTY: true, columns: 80 });
  const live = new LiveLine(output, () => nowMs);
  let under: Moving[] = [transfer()];
  live.watch(() => under);
  nowMs = 400;
  live.draw();
  assert.equal(output.text(), '');
  nowMs = 600;
  (under[0] as Moving).bytes = 50;
  live.draw();
  assert.equal(output.text(), '\rdisk.img to 192.0.2.7 50% 8 B/s\x1b[K');
  live.draw();
  assert.equal(output.text().match(/disk/g)?.length, 1, 'nothing changed');
  under = [];
  live.draw();
  assert.ok(output.text().endsWith('\x1b[K\r\x1b[K'));
  live.end();
});

test('a line that stays takes its place, and it is drawn again below', () => {
  const output = captured({ isTTY: true, columns: 80 });
  const live = new LiveLine(output, () => 1000);
  live.watch(() => [transfer()]);
  const drawn = 'disk.img to 192.0.2.7 45%';
  live.line('notice');
  assert.equal(output.text(), `\r${drawn}\x1b[K\r\x1b[Knotice\n${drawn}`);
  const before = output.text();
  const file = captured();
  live.line('log', file);
  assert.deepEqual([file.text(), output.text()], ['log\n', before], 'an output that is no terminal leaves it alone');
  live.end();
  assert.equal(output.text(), `${before}\r\x1b[K`);
});
