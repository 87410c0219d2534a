/** What the tests of the host key share: made-up keys, a person, and a request with its own files. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { XferError } from '#xfer/errors.js';
import type { Prompt } from '#xfer/transport.js';
import { resolveSshConfig } from '#xfer/transports/ssh/config/config.js';
import type { HostKeyRequest } from '#xfer/transports/ssh/host-keys/host-key.js';
import { loadKnownHost } from '#xfer/transports/ssh/host-keys/known-hosts-command.js';
import { makeKey } from '../made-up.js';

export const KEY = makeKey('ssh-ed25519', 1);
export const OTHER = makeKey('ssh-ed25519', 2);
export const EVERY_POLICY = ['yes', 'accept-new', 'ask', 'no'] as const;

/** A person who gives these answers, and then gives up. */
export function person(...answers: string[]): Prompt & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    secret: () => Promise.reject(new Error('nobody should ask for a secret')),
    line: async (question) => {
      asked.push(question);
      return answers.shift();
    },
  };
}

export interface HostKeyRig {
  /** The person's known_hosts; missing where its text is empty. */
  readonly file: string;
  readonly notices: string[];
  readonly keyTypes: readonly string[];
  readonly request: HostKeyRequest;
}

/** A request about the host alpha, which shows KEY. */
export async function hostKeyRig(
  folder: string,
  text: string,
  options: readonly string[],
  more: Partial<HostKeyRequest> = {},
): Promise<HostKeyRig> {
  const file = join(folder, `known-${randomUUID()}`);
  if (text !== '') await writeFile(file, text);
  const own = options.some((option) => option.startsWith('UserKnownHostsFile')) ? [] : [`UserKnownHostsFile=${file}`];
  const config = await resolveSshConfig({
    host: 'alpha',
    configFile: 'none',
    home: folder,
    localUser: 'me',
    options: [...options, ...own, 'GlobalKnownHostsFile=none'],
  });
  const notices: string[] = [];
  const scope = { signal: new AbortController().signal };
  const { knownHosts, keyTypes } = await loadKnownHost(config, scope);
  const onNotice = (line: string) => notices.push(line);
  return { file, notices, keyTypes, request: { config, knownHosts, key: KEY, onNotice, scope, ...more } };
}

/** A line of known_hosts. */
export function keyLine(hosts: string, key: Buffer): string {
  return `${hosts} ssh-ed25519 ${key.toString('base64')}\n`;
}

export async function denied(run: Promise<unknown>, message: RegExp, hint: RegExp): Promise<void> {
  await assert.rejects(run, (error) => {
    assert.ok(error instanceof XferError);
    assert.equal(error.code, 'DENIED');
    assert.match(error.message, message);
    assert.match(error.hint ?? '', hint);
    return true;
  });
}
