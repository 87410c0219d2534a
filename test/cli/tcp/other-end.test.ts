import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { otherEndLines, waitingHint } from '#xfer/cli/tcp/other-end.js';

test('each program is told the address as it takes it', () => {
  assert.deepEqual(otherEndLines('recv', { host: '::1', port: 80 }).slice(1), [
    '  xfer send [::1]:80 file',
    '  nc -N ::1 80 < file',
    '  ncat --send-only ::1 80 < file',
    '  socat -u FILE:file TCP:[::1]:80',
  ]);
  assert.deepEqual(otherEndLines('send', { host: '0.0.0.0', port: 80 }).slice(1), [
    `  xfer recv ${hostname()}:80 file`,
    `  nc -d ${hostname()} 80 > file`,
    `  ncat --recv-only ${hostname()} 80 > file`,
    `  socat -u TCP:${hostname()}:80 CREATE:file`,
  ]);
  assert.deepEqual(otherEndLines('pipe', { host: '', port: 0, path: '/tmp/s' }).slice(1), [
    '  xfer pipe /tmp/s',
    '  nc -N -U /tmp/s',
    '  ncat -U /tmp/s',
    '  socat - UNIX-CONNECT:/tmp/s',
  ]);
});

test('where nobody listens, what to start there', () => {
  const at = { scheme: 'tcp', host: 'h', port: 80, path: '' };
  const unix = { scheme: 'tcp', path: './s' };
  assert.match(waitingHint('send', at), /xfer recv 80 file, or nc -l 80 > file; or add --retry/);
  assert.match(waitingHint('recv', at), /xfer send -l 80 file, or nc -N -l 80 < file/);
  assert.match(waitingHint('pipe', at), /xfer pipe -l 80, or nc -N -l 80/);
  assert.match(waitingHint('send', unix), /xfer recv -l \.\/s file, or nc -lU \.\/s > file/);
  assert.match(waitingHint('recv', unix), /xfer send -l \.\/s file, or nc -N -lU \.\/s < file/);
});
