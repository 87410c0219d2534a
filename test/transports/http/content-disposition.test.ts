import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesFromName } from '#xfer/names.js';
import { attachmentField, dispositionName, downloadName, safeName } from '#xfer/transports/http/content-disposition.js';

const url = new URL('http://host/dir/typed.bin?x=1');
const named = (field: string, platform: NodeJS.Platform = 'linux') => downloadName(url, field, platform);

const FIELDS: [field: string, name: string][] = [
  ['attachment', 'typed.bin'],
  ['', 'typed.bin'],
  ['attachment; filename=plain.txt', 'plain.txt'],
  ['ATTACHMENT ; FileName = "two words.txt"', 'two words.txt'],
  ['inline; filename="a;b.txt"; size=3', 'a;b.txt'],
  ['attachment; filename="say \\"hi\\".txt"', 'say _hi_.txt'],
  ['attachment; filename="x.txt"; filename*=UTF-8\'\'%e2%82%ac%20rates.txt', '€ rates.txt'],
  ["attachment; filename*=UTF-8''first.txt; filename=second.txt", 'first.txt'],
  ["attachment; filename*=iso-8859-1'en'%A3.txt", '£.txt'],
  ["attachment; filename*=UTF-8''%ff.txt; filename=ascii.txt", 'ascii.txt'],
  ["attachment; filename*=utf-16''x.txt", 'typed.bin'],
  ['attachment; filename="\xc3\xa9t\xc3\xa9.txt"', 'été.txt'],
  ['attachment; filename="\xe9t\xe9.txt"', 'été.txt'],
  ['attachment; xfilename=evil.txt', 'typed.bin'],
  ['attachment; filename="../../etc/passwd"', 'passwd'],
  ['attachment; filename=/etc/passwd', 'passwd'],
  ['attachment; filename="..\\\\..\\\\boot.ini"', 'boot.ini'],
  ['attachment; filename="C:\\x"', 'x'],
  ['attachment; filename="C:x"', 'x'],
  ["attachment; filename*=UTF-8''..%2f..%2fx", 'x'],
  ["attachment; filename*=UTF-8''a%00b%0d%0ac%1b%5b2J", 'abc[2J'],
  ["attachment; filename*=UTF-8''a%e2%80%aegpj.exe", 'agpj.exe'],
  ['attachment; filename=".."', 'typed.bin'],
  ['attachment; filename="a/"', 'typed.bin'],
  ['attachment; filename=".bashrc"', 'bashrc'],
  ['attachment; filename="file.txt. . "', 'file.txt'],
  ['attachment; filename="CON"', 'typed.bin'],
  ['attachment; filename="com1.txt"', 'typed.bin'],
  ['attachment; filename="a.txt::$DATA"', 'a.txt__$DATA'],
];

for (const [field, name] of FIELDS) {
  test(`Content-Disposition ${JSON.stringify(field)} gives ${JSON.stringify(name)}`, () => {
    assert.equal(named(field), name);
  });
}

test('a name of 5,000 characters is cut to 255 bytes in front of its extension', () => {
  const ascii = named(`attachment; filename="${'a'.repeat(5000)}.tar"`);
  assert.equal(ascii, `${'a'.repeat(251)}.tar`);
  const wide = safeName(`${'😀'.repeat(2500)}.txt`) ?? '';
  assert.ok(wide.isWellFormed() && wide.endsWith('😀.txt'));
  assert.ok(bytesFromName(wide).length <= 255 && bytesFromName(wide).length > 250);
});

test('a field of 100,000 characters is not read, and costs no time', () => {
  const startMs = performance.now();
  assert.equal(dispositionName(`attachment; filename="${'\\'.repeat(100_000)}`), undefined);
  assert.equal(dispositionName(`attachment${'; a="'.repeat(1600)}`), undefined);
  assert.equal(safeName('. '.repeat(4000)), undefined);
  assert.ok(performance.now() - startMs < 2000);
});

test('the name in a URL comes back byte for byte, and never with a separator', () => {
  const name = (path: string, platform: NodeJS.Platform = 'linux') =>
    downloadName(new URL(`http://host${path}`), undefined, platform);
  assert.equal(name('/a/caf%C3%A9%20%231.txt'), 'café #1.txt');
  assert.deepEqual(bytesFromName(name('/latin1%e9.txt')), Buffer.from('latin1\xe9.txt', 'latin1'));
  assert.equal(name('/100%.txt'), '100%.txt');
  assert.equal(name('/.gitignore'), '.gitignore');
  assert.equal(name('/'), 'index.html');
  assert.equal(name('/dir/'), 'index.html');
  assert.equal(name('/..%2f..%2fevil'), 'evil');
  assert.equal(name('/%2e%2e%2f'), 'index.html');
  assert.equal(name('/a%00b'), 'ab');
  assert.equal(name('/a%5cb'), 'a\\b');
  assert.equal(name('/a%5cb', 'win32'), 'b');
  assert.equal(name('/NUL.txt', 'win32'), 'index.html');
  assert.equal(name('/a:b', 'win32'), 'b');
});

test('a hidden file keeps its name where the URL asked for it', () => {
  assert.equal(downloadName(new URL('http://host/.env'), 'attachment; filename=".env"', 'linux'), '.env');
});

const ATTACHMENTS: [name: string, field: string][] = [
  ['plain name.zip', 'attachment; filename="plain name.zip"'],
  ['a";filename="b.exe', 'attachment; filename="a_;filename=_b.exe"; filename*=UTF-8\'\'a%22%3Bfilename%3D%22b.exe'],
  ['a\r\nX-Inj: 1', 'attachment; filename="a__X-Inj: 1"'],
  ['été.tar', 'attachment; filename="_t_.tar"; filename*=UTF-8\'\'%C3%A9t%C3%A9.tar'],
  ['👩‍🚀', 'attachment; filename="___"; filename*=UTF-8\'\'%F0%9F%91%A9%E2%80%8D%F0%9F%9A%80'],
  ['100%41', 'attachment; filename="100_41"; filename*=UTF-8\'\'100%2541'],
  ['latin\udce9', 'attachment; filename="latin_"'],
  ['../a\\b', 'attachment; filename=".._a_b"'],
  ['rtl\u202egpj.exe', 'attachment; filename="rtl_gpj.exe"'],
];

for (const [name, field] of ATTACHMENTS) {
  test(`${JSON.stringify(name)} is attached, and read back`, () => {
    assert.equal(attachmentField(name), field);
    assert.match(field, /^[\x20-\x7e]+$/);
    const back = name.replace(/[\r\n\udce9\u202e/\\]/g, '_');
    assert.equal(dispositionName(field), back);
  });
}
