/** Our client against our own SFTP listener, which shares the directory that the suite's disks are in. */
import { tmpdir } from 'node:os';
import { relative } from 'node:path';
import { after } from 'node:test';
import { startSftp } from '../support/sftp-listener.js';
import { conformance } from './conformance.js';
import { sftpRig } from './sftp-rig.js';

const served = await startSftp(tmpdir());
after(() => served.stop());

conformance(
  'sftp listener',
  sftpRig(async ({ root }) => ({ ...served, path: `/${relative(tmpdir(), root)}`, stop: async () => undefined })),
);
