import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { type Ink, inkOf, qrLines } from '#xfer/cli/render/qr-code.js';
import { captured } from '../support/surroundings.js';

type Decode = (pixels: Uint8ClampedArray, width: number, height: number, how: object) => { data: string } | null;

// The package says that its default export is the function, and is a CommonJS module whose `exports` is.
const decode = createRequire(import.meta.url)('jsqr') as Decode;

const URL_TEXT = 'http://192.0.2.7:18000/?token=0123456789abcdefghijklmnopqrstuvwxyz';
const PIXELS = 4;

/** Which modules are light, as a person sees them whose terminal has this background. */
function seen(text: string, ink: Ink, background: 'dark' | 'light'): boolean[][] {
  const rows: boolean[][] = [];
  for (const line of text.split('\n')) {
    if (ink === 'ascii') {
      const cells = [...line.matchAll(/\x1b\[(40|107)m {2}/g)].map(([, colour]) => colour === '107');
      assert.equal(line.replace(/\x1b\[(40|107)m {2}|\x1b\[0m$/g, ''), '');
      rows.push(cells);
    } else if (ink === 'plain') rows.push((line.match(/../g) ?? []).map((cell) => cell === '  '));
    else {
      const inner = ink === 'colours' ? (/^\x1b\[30;107m(.*)\x1b\[0m$/.exec(line)?.[1] as string) : line;
      // A block is drawn in the foreground: black where it is set, else whatever the background is not.
      const block = ink === 'colours' ? false : background === 'dark';
      rows.push([...inner].map((cell) => ('█▀'.includes(cell) ? block : !block)));
      rows.push([...inner].map((cell) => ('█▄'.includes(cell) ? block : !block)));
    }
  }
  return rows;
}

/** A photograph of it, with the terminal around it. */
function read(rows: boolean[][], surround: boolean): string | undefined {
  const margin = 6;
  const [height, width] = [rows.length + 2 * margin, (rows[0] as boolean[]).length + 2 * margin];
  const pixels = new Uint8ClampedArray(width * height * PIXELS * PIXELS * 4);
  for (let y = 0; y < height * PIXELS; y += 1) {
    for (let x = 0; x < width * PIXELS; x += 1) {
      const row = rows[Math.floor(y / PIXELS) - margin];
      const light = row?.[Math.floor(x / PIXELS) - margin] ?? surround;
      pixels.fill(light ? 255 : 0, (y * width * PIXELS + x) * 4, (y * width * PIXELS + x) * 4 + 3);
      pixels[(y * width * PIXELS + x) * 4 + 3] = 255;
    }
  }
  return decode(pixels, width * PIXELS, height * PIXELS, { inversionAttempts: 'dontInvert' })?.data;
}

test('a phone reads it, however it is drawn', () => {
  const ways: [Ink, 'dark' | 'light'][] = [
    ['colours', 'dark'],
    ['colours', 'light'],
    ['ascii', 'dark'],
    ['ascii', 'light'],
    ['light', 'dark'],
    ['dark', 'light'],
  ];
  for (const [ink, background] of ways) {
    const { text, columns } = qrLines(URL_TEXT, ink);
    const rows = seen(text, ink, background);
    assert.equal(read(rows, background === 'light'), URL_TEXT, `${ink} on ${background}`);
    for (const line of text.split('\n')) assert.equal([...line.replace(/\x1b\[[\d;]*m/g, '')].length, columns, ink);
    assert.ok(rows[0]?.every((light) => light) && rows.every((row) => row[0] && row.at(-1)), `${ink}: no border`);
  }
  assert.equal(read(seen(qrLines(URL_TEXT, 'plain').text, 'plain', 'light'), true), URL_TEXT);
});

test('what a terminal can show', () => {
  const terminal = captured({ isTTY: true });
  const utf8 = { LANG: 'en_GB.UTF-8' };
  const cases: [object, NodeJS.Platform, Ink, Ink][] = [
    [utf8, 'linux', 'colours', 'light'],
    [{ ...utf8, NO_COLOR: '1' }, 'linux', 'light', 'light'],
    [{ ...utf8, NO_COLOR: '1', COLORFGBG: '0;15' }, 'linux', 'dark', 'dark'],
    [{ ...utf8, NO_COLOR: '1', COLORFGBG: '15;default;0' }, 'linux', 'light', 'light'],
    [{ ...utf8, TERM: 'dumb' }, 'linux', 'light', 'light'],
    [{ LANG: 'C' }, 'linux', 'ascii', 'plain'],
    [{ ...utf8, LC_ALL: 'POSIX' }, 'darwin', 'ascii', 'plain'],
    [{ LANG: 'C', NO_COLOR: '1' }, 'linux', 'plain', 'plain'],
    [{}, 'win32', 'colours', 'light'],
  ];
  for (const [env, platform, onTerminal, elsewhere] of cases) {
    assert.equal(inkOf(terminal, { ...env }, platform), onTerminal, JSON.stringify(env));
    assert.equal(inkOf(captured(), { ...env }, platform), elsewhere, JSON.stringify(env));
  }
});
