import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChecksums } from '#xfer/checksums.js';

const A = 'a'.repeat(64);
const B = 'b'.repeat(128);

test('the forms that sha256sum, sha512sum and BSD write', () => {
  const list = parseChecksums(
    [
      '-----BEGIN PGP SIGNED MESSAGE-----',
      `${A.toUpperCase()}  text name`,
      `${B} *./binary`,
      `SHA256 (bsd (1).iso) = ${A}`,
      `\\${A}  a\\nb\\\\c`,
      `${'c'.repeat(40)}  sha1`,
      `${'d'.repeat(64)}  text name`,
    ].join('\r\n'),
  );
  assert.deepEqual(list.find(['text name']), { algorithm: 'sha256', hex: A });
  assert.deepEqual(list.find(['no', 'binary']), { algorithm: 'sha512', hex: B });
  assert.deepEqual(list.find(['bsd (1).iso']), { algorithm: 'sha256', hex: A });
  assert.deepEqual(list.find(['a\nb\\c']), { algorithm: 'sha256', hex: A });
  assert.equal(list.find(['sha1']), undefined);
  assert.equal(list.size, 4);
});

test('a digest alone is that of any file, and what is none is none', () => {
  assert.deepEqual(parseChecksums(`${A}\n`).find(['x']), { algorithm: 'sha256', hex: A });
  assert.equal(parseChecksums('<html>404</html>').size, 0);
  assert.equal(parseChecksums(`${A}x  name`).size, 0);
});
