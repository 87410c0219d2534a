/** The first descriptor that a service manager hands down (`SD_LISTEN_FDS_START`). */
const FIRST_DESCRIPTOR = 3;
/** More than anybody listens on; a larger number is a mistake. */
const MOST_DESCRIPTORS = 1024;

/**
 * The listening sockets that systemd, or another that does as it does, handed to this very process (sd_listen_fds(3)), by
 * their descriptors. The variables that name them are taken out, so that no child believes that they are its own.
 */
export function takeInheritedSockets(env: NodeJS.ProcessEnv, pid: number): number[] {
  const { LISTEN_PID, LISTEN_FDS } = env;
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[name];
  const count = /^[0-9]{1,4}$/.test(LISTEN_FDS ?? '') ? Number(LISTEN_FDS) : 0;
  if (LISTEN_PID !== String(pid) || count > MOST_DESCRIPTORS) return [];
  return Array.from({ length: count }, (_, index) => FIRST_DESCRIPTOR + index);
}
