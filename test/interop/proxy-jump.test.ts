/** Jump hosts and proxy commands, with real sshds on the way. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { XferError } from '#xfer/errors.js';
import { openCarrier } from '#xfer/transports/ssh/carriers/open-carrier.js';
import { failsWith } from '../support/fails-with.js';
import { startFaultyProxy } from '../support/faulty-proxy.js';
import { assertNoMoreThan, countOpen } from '../support/leaks.js';
import { needs } from '../support/peers.js';
import { type Sshd, startSshd } from '../support/sshd.js';

const wanted = needs('sshd', 'ssh-keygen', 'ncat');
const options = { ...wanted, timeout: 30_000 };
const scope = { signal: new AbortController().signal };
let target: Sshd;
let hop: Sshd;
let directory: string;

before(async () => {
  if (wanted.skip !== undefined) return;
  [target, hop] = await Promise.all([startSshd(), startSshd()]);
  directory = await mkdtemp(join(tmpdir(), 'xfer-jump-'));
});
after(async () => {
  await Promise.all([target?.stop(), hop?.stop()]);
  if (directory) await rm(directory, { recursive: true, force: true });
});

/** An ssh_config in which each of these hosts is one of the sshds, with further lines. */
async function configFile(hosts: Record<string, readonly [Sshd, ...string[]]>): Promise<string> {
  const blocks = Object.entries(hosts).map(([name, [sshd, ...lines]]) => {
    const all = [
      ...lines,
      `HostName ${sshd.host}`,
      `Port ${sshd.port}`,
      `User ${sshd.user}`,
      `IdentityFile ${sshd.identityFile}`,
      `UserKnownHostsFile ${sshd.knownHostsFile}`,
    ];
    return [`Host ${name}`, ...all].join('\n  ');
  });
  const always = ['Host *', 'IdentityAgent none', 'GlobalKnownHostsFile none', 'StrictHostKeyChecking yes'].join(
    '\n  ',
  );
  const file = join(await mkdtemp(join(directory, 'config-')), 'config');
  await writeFile(file, `${[...blocks, always].join('\n')}\n`);
  return file;
}

/** Logs in to `target` and asks it something, then leaves. */
async function reach(file: string, ...settings: string[]): Promise<string[]> {
  const notices: string[] = [];
  const given = {
    configFile: file,
    options: ['BatchMode=yes', ...settings],
    onNotice: (line: string) => notices.push(line),
  };
  const carrier = await openCarrier({ scheme: 'sftp', host: 'target', path: '.' }, given, scope, 'source');
  try {
    const client = await carrier.openSftp(scope);
    await client.realpath(Buffer.from('.'), scope);
  } finally {
    await carrier.close();
  }
  return notices;
}

test('a chain of jump hosts, each by its own configuration, leaves nothing open', options, async () => {
  const hosts = { target: [target, 'ProxyJump first,second'], first: [hop], second: [target] } as const;
  const file = await configFile(hosts);
  await reach(file);
  const before = countOpen();
  await reach(file);
  await assertNoMoreThan(before);
  assert.match(hop.log(), /direct-tcpip|Starting session|Accepted publickey/);
});

test('a jump host with its own jump host, one in a URL, and none', options, async () => {
  const file = await configFile({ target: [target], outer: [hop, 'ProxyJump inner'], inner: [target] });
  await reach(file, `ProxyJump=ssh://${hop.user}@outer:${hop.port}`);
  const direct = await configFile({ target: [target, 'ProxyJump nowhere.invalid'] });
  await reach(direct, 'ProxyJump=none');
  await assert.rejects(reach(direct), failsWith('UNREACHABLE', /nowhere\.invalid/));
});

test('a changed key on any hop stops everything before the next', options, async () => {
  const wrong = join(directory, 'wrong_hosts');
  const [, , key] = (await readFile(target.knownHostsFile, 'utf8')).split(' ');
  await writeFile(wrong, `[${hop.host}]:${hop.port} ssh-ed25519 ${key}`);
  const changed = { ...hop, knownHostsFile: wrong };
  const hosts = { target: [target, 'ProxyJump first,second'], first: [hop], second: [changed] } as const;
  const logins = target.log().split('Accepted').length;
  await assert.rejects(reach(await configFile(hosts)), failsWith('DENIED', /changed/));
  const swapped = { target: [target, 'ProxyJump first,second'], first: [changed], second: [hop] } as const;
  await assert.rejects(reach(await configFile(swapped)), failsWith('DENIED', /changed/));
  assert.equal(target.log().split('Accepted').length, logins);
});

test('errors name the hop', options, async (t) => {
  const before = countOpen();
  const closed = { ...target, port: 1 };
  const far = await configFile({ target: [closed, 'ProxyJump first'], first: [hop] });
  await assert.rejects(reach(far), failsWith('UNREACHABLE', /connect to 127\.0\.0\.1:1 by way of first: .*refused/i));
  const keyless = { ...hop, identityFile: '/nonexistent' };
  const locked = await configFile({ target: [target, 'ProxyJump first'], first: [keyless] });
  await assert.rejects(reach(locked), failsWith('DENIED', /log in to first/));
  const refused = await configFile({ target: [{ ...target, identityFile: '/none' }, 'ProxyJump first'], first: [hop] });
  await assert.rejects(reach(refused), failsWith('DENIED', /log in to target/));
  await assertNoMoreThan(before);
  const shut = await startSshd({ lines: ['AllowTcpForwarding no'] });
  t.after(() => shut.stop());
  const refusing = await configFile({ target: [target, 'ProxyJump first'], first: [shut] });
  await assert.rejects(reach(refusing), failsWith('DENIED', /by way of first: it forwards no connections/));
});

test('jump hosts that lead in a circle are an error, not a circle', options, async () => {
  const file = await configFile({ target: [target, 'ProxyJump first'], first: [hop, 'ProxyJump first'] });
  await assert.rejects(reach(file), failsWith('USAGE', /ProxyJump leads through more than/));
});

test('a line that breaks before a jump host fails what goes through it', options, async (t) => {
  const proxy = await startFaultyProxy({ to: hop, cutAfterBytes: 200_000 });
  t.after(() => proxy.stop());
  const alias = `HostKeyAlias [${hop.host}]:${hop.port}`;
  const file = await configFile({
    target: [target, 'ProxyJump first'],
    first: [{ ...hop, port: proxy.port }, alias],
  });
  const carrier = await openCarrier(
    { scheme: 'sftp', host: 'target', path: '.' },
    { configFile: file },
    scope,
    'source',
  );
  t.after(() => carrier.close());
  assert.ok(carrier.execute);
  const { stream } = await carrier.execute('cat /dev/zero', scope);
  await assert.rejects(stream.toArray(), failsWith('DISCONNECTED'));
  assert.ok(carrier.lost);
});

test('a proxy command is run by the shell, speaks on its standard error, and leaves nothing', options, async () => {
  const command = 'sh -c "echo by proxy >&2; exec ncat %h %p"';
  const file = await configFile({ target: [target, `ProxyCommand ${command}`] });
  assert.deepEqual(await reach(file), ['by proxy']);
  const before = countOpen();
  await reach(file);
  await assertNoMoreThan(before);
});

test('a proxy command that ends is UNREACHABLE with its last words', options, async () => {
  const file = await configFile({ target: [target] });
  const ended = /ProxyCommand ended: no way there/;
  await assert.rejects(reach(file, 'ProxyCommand=sh -c "echo no way there >&2"'), failsWith('UNREACHABLE', ended));
  await assert.rejects(reach(file, 'ProxyCommand=sh -c "exit 3 # proxy-password"'), (error: XferError) => {
    assert.doesNotMatch(`${error.message} ${error.hint}`, /proxy-password/);
    return failsWith('UNREACHABLE', /exit code 3/)(error);
  });
  await assert.rejects(reach(file, 'ProxyCommand=false'), failsWith('UNREACHABLE', /exit code 1/));
  await assert.rejects(reach(file, 'ProxyCommand=-'), failsWith('UNSUPPORTED', /ProxyCommand -/));
  await assert.rejects(
    reach(file, 'ProxyCommand=ncat %h %p', 'ProxyUseFdpass=yes'),
    failsWith('UNSUPPORTED', /fdpass/i),
  );
  await assert.rejects(reach(file, 'ProxyCommand=sleep 60', 'ConnectTimeout=1'), failsWith('TIMED_OUT'));
  await reach(file, 'ProxyCommand=none');
});
