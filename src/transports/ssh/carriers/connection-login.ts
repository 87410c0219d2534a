/** The part of a connection that is over when it stands: key exchange, the host's key, the login. */
import type { Duplex } from 'node:stream';
import type { Client, ConnectConfig } from 'ssh2';
import { onAbort } from '../../../concurrency/on-abort.js';
import { XferError } from '../../../errors.js';
import { printable } from '../../../names.js';
import type { Prompt, Scope } from '../../../transport.js';
import type { SshConfig } from '../config/config.js';
import type { JumpHop } from '../config/proxy-jump.js';
import { verifyHostKey } from '../host-keys/host-key.js';
import type { KnownHost } from '../host-keys/known-hosts-command.js';
import { agentPath, KeyNotUsed } from '../login/agent.js';
import { type Authentication, authenticate } from '../login/auth.js';
import type { Secrets } from '../login/secrets.js';
import { algorithmsFor } from './algorithms.js';
import { connectionError } from './connection-error.js';
import type { Patience } from './patience.js';
import { Watch } from './watch.js';

export interface ConnectionRequest {
  readonly config: SshConfig;
  readonly prompt?: Prompt | undefined;
  readonly onNotice?: ((line: string) => void) | undefined;
  /** Tell each step of the protocol as a notice. */
  readonly verbose?: boolean | undefined;
  /** What was typed for an earlier connection of the same run. */
  readonly secrets?: Secrets | undefined;
  /** The configuration of a jump host; as the person's own files say where absent. */
  readonly resolveHop?: ((hop: JumpHop) => Promise<SshConfig>) | undefined;
  /** How many hosts are reached by way of this one. */
  readonly depth?: number;
  readonly scope: Scope;
}

export interface LoginRequest extends ConnectionRequest {
  readonly client: Client;
  readonly stream: Duplex;
  readonly known: KnownHost;
  /** The host's, where it is spoken to straight. */
  readonly address: string | undefined;
  /** Runs until the host answered; a question to the person stops it. */
  readonly patience: Patience;
  /** Between signs of life that are asked for. */
  readonly intervalMs: number;
  /** Called when the connection ends, then and later. */
  readonly onLost: (error: XferError) => void;
}

const MAX_BANNER_LINES = 50;
/** Longest silence of a server in a login: longer than sshd's LoginGraceTime, in which somebody may press a button. */
const LOGIN_SILENCE_MS = 150_000;

/**
 * Resolves with the round trip in milliseconds when the login is done. Rejects as `SshConnection.open` says, and destroys the
 * stream then.
 */
export function logIn(request: LoginRequest): Promise<number> {
  const { config, client, stream, patience } = request;
  return new Promise((resolve, reject) => {
    // Its reason is the scope's where that gives one.
    if (patience.signal.aborted) {
      stream.destroy();
      return reject(patience.signal.reason);
    }
    let watch: Watch | undefined;
    const over = new AbortController();
    const free = onAbort(patience.signal, () => fail(patience.signal.reason));
    const settle = () => {
      watch?.end();
      free();
    };
    const fail = (error: unknown) => {
      settle();
      reject(error);
      stream.destroy();
      // Nobody is to be left with a question whose answer has nowhere to go.
      over.abort(error);
    };
    const prompt = request.prompt && patientPrompt(request.prompt, () => watch);
    const asked = { ...request, prompt, scope: { signal: over.signal } };
    const login = authenticate({ ...asked, onFailure: fail });
    listen(asked, login, fail);
    let askedAtMs = 0;
    let rttMs: number | undefined;
    client.on('ready', () => {
      settle();
      resolve(rttMs ?? 0);
    });
    // Then the login is asked for as a service, which takes a server no time.
    client.once('handshake', () => {
      askedAtMs = performance.now();
    });
    const authHandler: typeof login.next = (...told) => {
      rttMs ??= performance.now() - askedAtMs;
      return login.next(...told);
    };
    try {
      const verify = hostVerifier(asked, fail);
      client.connect({ ...settings(request), sock: stream, hostVerifier: verify, authHandler });
      client.setNoDelay(true);
      watch = new Watch(stream, LOGIN_SILENCE_MS, () =>
        fail(new XferError('TIMED_OUT', `log in to ${config.host}: the server stopped answering`)),
      );
    } catch (error) {
      fail(connectionError(error, config));
    }
  });
}

function listen(request: LoginRequest, login: Authentication, fail: (error: unknown) => void): void {
  const { config, client, patience, onNotice, onLost } = request;
  const lose = (error: XferError) => {
    onLost(error);
    fail(error);
  };
  const end = () => lose(new XferError('DISCONNECTED', `connection to ${config.host}: it ended`));
  client.on('error', (error) => {
    // After an end of the login, such as an abort that ended a question, that end says enough.
    if (error instanceof KeyNotUsed || request.scope.signal.aborted) return;
    if (error.level === 'agent') onNotice?.(printable(`agent: ${error.message}`));
    else lose(error.level === 'client-authentication' ? login.failure() : connectionError(error, config));
  });
  client.on('end', end);
  client.on('close', end);
  client.on('change password', () => {
    const reason = 'the password must be changed first';
    const hint = `change it with: ssh ${config.user}@${config.host}`;
    fail(new XferError('DENIED', `log in to ${config.host} as ${config.user}: ${reason}`, { hint }));
  });
  let lines = MAX_BANNER_LINES;
  client.on('banner', (text) => {
    lines -= tellBanner(text, lines, onNotice);
  });
  client.on('handshake', () => patience.rest());
}

/** Checks a key once: when keys are changed later on, the same must come again, and no other. */
function hostVerifier(request: LoginRequest, fail: (error: unknown) => void) {
  let trusted: Buffer | undefined;
  return (key: Buffer, done: (ok: boolean) => void): void => {
    // At once: ssh2 loses its compressor where a check of a later exchange takes longer than the server.
    if (trusted?.equals(key)) {
      done(true);
      return;
    }
    request.patience.rest();
    verifyHostKey({ ...request, knownHosts: request.known.knownHosts, key })
      .then(() => {
        trusted = Buffer.from(key);
        done(true);
      })
      .catch((error: unknown) => {
        if (error instanceof XferError) request.onLost(error);
        fail(request.scope.signal.aborted ? error : connectionError(error, request.config));
        done(false);
      });
  };
}

/** A server's silence is no fault while the person is asked. */
function patientPrompt(prompt: Prompt, watch: () => Watch | undefined): Prompt {
  const wait = <T>(ask: () => Promise<T>) => watch()?.during(ask) ?? ask();
  return {
    secret: (question, scope) => wait(() => prompt.secret(question, scope)),
    line: (question, scope) => wait(() => prompt.line(question, scope)),
  };
}

/** What does not change while it connects. That it still answers is our own watch's matter: ssh2's counts no data. */
function settings({ config, known, intervalMs, onNotice, verbose }: LoginRequest): ConnectConfig {
  const agent = config.forwardAgent ? (config.forwardAgentPath ?? agentPath({ config })) : undefined;
  return {
    username: config.user,
    algorithms: algorithmsFor(config, known.keyTypes),
    readyTimeout: 0,
    keepaliveInterval: intervalMs,
    keepaliveCountMax: Number.MAX_SAFE_INTEGER,
    ...(agent === undefined ? {} : { agent }),
    ...(verbose && onNotice ? { debug: (line: string) => onNotice(printable(line)) } : {}),
  };
}

/** How many lines were told, of at most so many. */
function tellBanner(text: string, most: number, onNotice?: (line: string) => void): number {
  const lines = text.split(/\r?\n|\r/).filter((line) => line.trim() !== '');
  for (const line of lines.slice(0, most)) onNotice?.(printable(line.slice(0, 500)));
  return Math.min(lines.length, most);
}
