/** Our client against OpenSSH's server. */
import { after } from 'node:test';
import { findProgram, needs } from '../support/peers.js';
import { type Sshd, startSshd } from '../support/sshd.js';
import { conformance } from './conformance.js';
import { sftpRig } from './sftp-rig.js';

const sshd = findProgram('sshd') ? await startSshd() : undefined;
after(() => sshd?.stop());

const rig = sftpRig(async ({ root }) => ({ ...(sshd as Sshd), path: root, stop: async () => undefined }));
conformance('sftp', rig, needs('sshd', 'ssh-keygen'));
