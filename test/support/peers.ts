/** Other people's programs that the interop tests talk to. A missing one is said, and in CI it is a failure. */
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Program -> the Debian package that brings it. */
const PACKAGES: Record<string, string> = {
  sshd: 'openssh-server',
  ssh: 'openssh-client',
  scp: 'openssh-client',
  sftp: 'openssh-client',
  'ssh-keygen': 'openssh-client',
  'ssh-agent': 'openssh-client',
  'ssh-add': 'openssh-client',
  rsync: 'rsync',
  'nc.openbsd': 'netcat-openbsd',
  'nc.traditional': 'netcat-traditional',
  busybox: 'busybox',
  ncat: 'ncat',
  socat: 'socat',
  bash: 'bash',
  zsh: 'zsh',
  fish: 'fish',
  curl: 'curl',
  promtool: 'prometheus',
  'systemd-socket-activate': 'systemd',
  wget: 'wget',
  caddy: 'caddy',
  nginx: 'nginx-light',
  wrk: 'wrk',
  aria2c: 'aria2',
  chromium: 'chromium',
  lynx: 'lynx',
  python3: 'python3',
  unzip: 'unzip',
  bsdtar: 'libarchive-tools',
  tar: 'tar',
  script: 'bsdutils',
  setpriv: 'util-linux',
  setsid: 'util-linux',
  rclone: 'rclone',
  lftp: 'lftp',
  sshfs: 'sshfs',
  fusermount: 'fuse3',
  pscp: 'putty-tools',
  psftp: 'putty-tools',
  'openssh-regress': 'openssh-tests',
  dropbear: 'dropbear-bin',
  dropbearkey: 'dropbear-bin',
  'nss-wrapper': 'libnss-wrapper',
};

const MULTIARCH = `${{ x64: 'x86_64', arm64: 'aarch64' }[process.arch as string] ?? process.arch}-linux-gnu`;

/** Programs, and a library, that are kept outside the folders of commands. */
const ELSEWHERE: Record<string, string> = {
  'openssh-regress': '/usr/lib/openssh/regress/run-tests',
  'nss-wrapper': `/usr/lib/${MULTIARCH}/libnss_wrapper.so`,
};

/** Full path of a program, or undefined. */
export function findProgram(name: string): string | undefined {
  const place = ELSEWHERE[name];
  if (place !== undefined) return existsSync(place) ? place : undefined;
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  for (const folder of folders) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {}
  }
  return undefined;
}

/**
 * Test options that skip where a program is missing, saying which package brings it: `test('…', needs('sshd'), …)`.
 * With CI set nothing is skipped, so that the test fails for want of its peer.
 */
export function needs(...programs: string[]): { skip?: string } {
  const missing = programs.filter((program) => findProgram(program) === undefined);
  if (missing.length === 0 || process.env.CI) return {};
  return {
    skip: missing.map((program) => `${program} is missing (Debian package ${PACKAGES[program] ?? program})`).join('; '),
  };
}

/** As `needs('sshfs')`; a container that has no FUSE skips in any case, since no package brings it. */
export function needsFuse(): { skip?: string } {
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
  } catch {
    return { skip: '/dev/fuse cannot be used here' };
  }
  return needs('sshfs', 'fusermount');
}
