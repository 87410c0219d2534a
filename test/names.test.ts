import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bytesFromName,
  isText,
  joinPath,
  lastPart,
  nameFromBytes,
  nameFromLatin1,
  parentPath,
  pathParts,
  printable,
} from '#xfer/names.js';
import { FINE_NAMES, HOSTILE_PATHS } from './support/hostile-names.js';
import { Dice, pickSeed } from './support/random.js';

function roundTrip(bytes: Buffer): Buffer {
  return bytesFromName(nameFromBytes(bytes));
}

test('any bytes come back as they were', () => {
  const seed = pickSeed();
  const dice = new Dice(seed);
  for (let round = 0; round < 2000; round++) {
    const bytes = Buffer.from(Array.from({ length: dice.below(24) }, () => randomByte(dice)));
    assert.deepEqual(roundTrip(bytes), bytes, `XFER_SEED=${seed}, bytes ${bytes.toString('hex')}`);
    assert.equal(nameFromLatin1(bytes.toString('latin1')), nameFromBytes(bytes), `XFER_SEED=${seed}`);
  }
});

/** Leads and continuations come often, so that cut and overlong sequences do. */
function randomByte(dice: Dice): number {
  const leads = [0xc0, 0xc3, 0xe0, 0xe2, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff];
  return dice.of([dice.below(256), 0x80 + dice.below(64), dice.of(leads), 0x20 + dice.below(95)]);
}

test('every pair of bytes comes back as it was', () => {
  for (let first = 0; first < 256; first++) {
    const name: Buffer[] = [];
    for (let second = 0; second < 256; second++) name.push(Buffer.of(first, second, 0x2f));
    const bytes = Buffer.concat(name);
    assert.deepEqual(roundTrip(bytes), bytes, `pairs that start with ${first}`);
  }
});

const DECODED: [string, number[], string][] = [
  ['plain text', [0x61, 0x62], 'ab'],
  ['two bytes', [0xc3, 0xa9], 'é'],
  ['four bytes', [0xf0, 0x9f, 0x98, 0x80], '😀'],
  ['a byte order mark', [0xef, 0xbb, 0xbf, 0x61], '\ufeffa'],
  ['a lone continuation', [0x80], '\udc80'],
  ['latin-1', [0x61, 0xe9, 0x62], 'a\udce9b'],
  ['an overlong slash', [0xc0, 0xaf], '\udcc0\udcaf'],
  ['an overlong NUL', [0xc0, 0x80], '\udcc0\udc80'],
  ['a surrogate in UTF-8', [0xed, 0xb2, 0x80], '\udced\udcb2\udc80'],
  ['over U+10FFFF', [0xf4, 0x90, 0x80, 0x80], '\udcf4\udc90\udc80\udc80'],
  ['a sequence that is cut', [0xe2, 0x82], '\udce2\udc82'],
  ['good after bad', [0xff, 0xc3, 0xa9], '\udcffé'],
];

test('bytes that are not UTF-8 are set aside one by one', () => {
  for (const [what, bytes, text] of DECODED) {
    assert.equal(nameFromBytes(Uint8Array.from(bytes)), text, what);
    assert.deepEqual([...bytesFromName(text)], bytes, what);
  }
});

test('no bytes decode to a separator, a dot or NUL that was not there', () => {
  for (let lead = 0x80; lead < 0x100; lead++) {
    for (let next = 0x80; next < 0x100; next++) assert.doesNotMatch(nameFromBytes(Uint8Array.of(lead, next)), /[/.\0]/);
  }
});

test('a lone surrogate that stands for no byte becomes the replacement character', () => {
  for (const text of ['\ud800', '\udc00', '\udc7f', '\udfff']) {
    assert.deepEqual(bytesFromName(`a${text}`), Buffer.from('a\ufffd'), JSON.stringify(text));
  }
});

test('only well-formed names are text', () => {
  for (const { name, needs } of FINE_NAMES) assert.equal(isText(name), needs === 'text', printable(name));
});

const PRINTED: [string, string][] = [
  ['plain é 😀 名前', 'plain é 😀 名前'],
  ['a\nb\tc\rd', 'a\\nb\\tc\\x0dd'],
  ['\u001b[31mred\u001b[0m', '\\x1b[31mred\\x1b[0m'],
  ['\u0000\u0007\u007f', '\\x00\\x07\\x7f'],
  ['\u009b31m', '\\x9b31m'],
  ['\u202egnp.exe', '\\u{202e}gnp.exe'],
  ['\u2066x\u2069', '\\u{2066}x\\u{2069}'],
  ['\u2028\u2029', '\\u{2028}\\u{2029}'],
  ['\u200b\ufeff\u00ad', '\\u{200b}\\u{feff}\\xad'],
  ['\ue000', '\\u{e000}'],
  ['\u{e0041}', '\\u{e0041}'],
  ['caf\udce9', 'caf\\xe9'],
  ['\ud800', '\\u{d800}'],
  ['👩‍👧', '👩‍👧'],
  ['', ''],
];

test('what is printed moves no cursor and hides nothing', () => {
  for (const [text, expected] of PRINTED) assert.equal(printable(text), expected);
});

test('a printed text is printable, and stays as it is', () => {
  for (let code = 0; code < 0x3000; code++) {
    const once = printable(`a${String.fromCodePoint(code)}b`);
    assert.doesNotMatch(once, /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u);
    assert.equal(printable(once), once);
  }
});

test('parts of a path are checked', () => {
  assert.deepEqual(pathParts(''), []);
  assert.deepEqual(pathParts('a'), ['a']);
  assert.deepEqual(pathParts('a/b c/.hidden/...'), ['a', 'b c', '.hidden', '...']);
  for (const path of [...HOSTILE_PATHS, '/', '.', './', 'a/.', '/a', 'a//', '\0']) {
    assert.equal(pathParts(path), undefined, printable(path));
  }
});

test('paths are joined, and empty ones vanish', () => {
  assert.equal(joinPath(), '');
  assert.equal(joinPath('', 'a', '', 'b/c'), 'a/b/c');
  assert.equal(joinPath('a'), 'a');
});

test('a path below a root has a parent and a last part', () => {
  for (const [path, parent, last] of [
    ['a/b/c', 'a/b', 'c'],
    ['a', '', 'a'],
    ['', '', ''],
  ] as const) {
    assert.deepEqual([parentPath(path), lastPart(path)], [parent, last]);
  }
});
