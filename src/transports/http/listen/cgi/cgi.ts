/** Programs in the share that answer requests: the Common Gateway Interface, RFC 3875. */
import { STATUS_CODES } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { withinTimerMs } from '../../../../concurrency/longest-timer.js';
import { toXferError, XferError } from '../../../../errors.js';
import { ClientPlaces } from '../../../../listening/client-places.js';
import { lastPart } from '../../../../names.js';
import { type Exchange, sendStream } from '../exchange.js';
import { answerOptions, closing, refuse } from '../refuse.js';
import { expectsContinue } from '../request-fault.js';
import type { Sharing } from '../sharing.js';
import { parseTarget, type Target } from '../target.js';
import { watchClient } from '../watch-client.js';
import { scriptEnvironment } from './environment.js';
import { relayed } from './relayed.js';
import { readHead, type ScriptHead } from './response-head.js';
import { Script, scriptCommand } from './script.js';
import { directoryOf, findScript, type ScriptPath } from './script-path.js';
import type { PlacedSource } from './scriptless-share.js';

/** Those that every script has to know (RFC 3875, 4.3). */
const METHODS = 'GET, HEAD, POST, OPTIONS';
/** How long a script that has written all may take to say how it ended. */
const END_MS = 1000;

export interface CgiSettings {
  /** The share with its scripts. */
  readonly share: PlacedSource;
  readonly directories: readonly string[];
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
  readonly maxScripts: number;
  /** A connection on which nothing moved for so long is cut by the server. */
  readonly idleTimeoutMs: number;
  readonly onNotice: (line: string) => void;
}

interface Call {
  readonly exchange: Exchange;
  readonly sharing: Sharing;
  readonly target: Target;
  readonly script: ScriptPath;
  readonly bodyBytes: number;
}

export class Cgi {
  readonly #settings: CgiSettings;
  readonly #places: ClientPlaces;

  constructor(settings: CgiSettings) {
    this.#settings = settings;
    this.#places = new ClientPlaces(settings.maxScripts);
  }

  /** Where the request points, if that is in a directory of scripts. */
  targetOf({ request }: Exchange, sharing: Sharing): Target | undefined {
    const target = parseTarget(request.url ?? '', { ...sharing, hidden: true });
    if (typeof target === 'number') return undefined;
    return directoryOf(target.path, this.#settings.directories) === undefined ? undefined : target;
  }

  /** Answers with what the script says, or why it says nothing. Rejects as the share does. */
  async answer(exchange: Exchange, sharing: Sharing, target: Target): Promise<void> {
    const { request, response } = exchange;
    const { share, directories, maxBodyBytes } = this.#settings;
    const no = (status: number, fields: Record<string, string> = {}): void =>
      refuse(request, response, status, { ...fields, ...closing(request.headers) });
    if (request.method === 'OPTIONS') return answerOptions(request, response, METHODS);
    if (!['GET', 'HEAD', 'POST'].includes(request.method ?? '')) return no(405, { Allow: METHODS });
    const base = directoryOf(target.path, directories) as string;
    const script = await findScript(target, base, share, sharing, sharing.scope);
    if (typeof script === 'number') return no(script);
    // A script that would write to the connection itself.
    if (lastPart(script.path).startsWith('nph-')) return no(501);
    if (request.headers['transfer-encoding'] !== undefined) return no(411);
    const bodyBytes = Number(request.headers['content-length'] ?? 0);
    if (bodyBytes > maxBodyBytes) return no(413);
    const leave = this.#places.take(request.socket.remoteAddress);
    if (!leave) return no(503, { 'Retry-After': '1' });
    try {
      await this.#call({ exchange, sharing, target, script, bodyBytes });
    } finally {
      leave();
    }
  }

  /** Resolves when the script holds nothing any more. */
  async #call(call: Call): Promise<void> {
    const { exchange, sharing, script } = call;
    const { request, response } = exchange;
    const started = await this.#start(call);
    if (!started) return refuse(request, response, 403, closing(request.headers));
    const unwatch = watchClient(request, response, () => {
      if (!response.writableFinished) started.stop();
    });
    const end = (): void => started.stop('SIGKILL');
    sharing.scope.signal.addEventListener('abort', end);
    // Also while the script thinks, which its own limit ends.
    request.socket.setTimeout(withinTimerMs(this.#settings.idleTimeoutMs + this.#settings.timeoutMs));
    try {
      if (sharing.scope.signal.aborted) end();
      feed(exchange, started, call.bodyBytes);
      await this.#relay(exchange, started, script);
      await started.over;
    } finally {
      started.stop();
      unwatch();
      sharing.scope.signal.removeEventListener('abort', end);
    }
  }

  /** Undefined for what is no program. */
  async #start({ exchange, sharing, target, script, bodyBytes }: Call): Promise<Script | undefined> {
    const { request, response } = exchange;
    const { share, timeoutMs } = this.#settings;
    const { scope, platform } = sharing;
    const { path } = await share.place(script.path, scope);
    const command = scriptCommand(path, script.entry.mode, platform);
    if (!command) {
      this.#note(script, `it is no program${platform === 'win32' ? '' : ': chmod +x makes it one'}`);
      return undefined;
    }
    const { pathInfo } = script;
    const root = pathInfo === '' ? undefined : (await share.place('', scope)).path;
    const environment = scriptEnvironment(
      {
        request,
        scriptName: `${sharing.gate.prefix.path}/${script.path}`,
        pathInfo,
        query: target.query.slice(1),
        bodyBytes,
        user: exchange.tally.user,
        ...(root === undefined ? {} : { pathTranslated: root.replace(/[/\\]$/, '') + pathInfo }),
      },
      process.env,
      platform,
    );
    const isHeldUp = (): boolean => response.writableNeedDrain;
    const onLine = (line: string): void => this.#note(script, line);
    return new Script({ command, path, environment, timeoutMs, isHeldUp, platform, onLine });
  }

  async #relay(exchange: Exchange, started: Script, script: ScriptPath): Promise<void> {
    const { request, response } = exchange;
    let head: ScriptHead;
    try {
      head = await readHead(started.stdout);
    } catch (error) {
      return this.#refuseHead(exchange, started, script, error);
    }
    const { status, fields, length } = head;
    const empty = status === 204 || status === 304;
    response.writeHead(status, STATUS_CODES[status] ?? 'Unknown', {
      ...fields,
      ...(length === undefined || empty ? {} : { 'Content-Length': length }),
    });
    if (request.method === 'HEAD' || empty) {
      response.end();
      started.stdout.resume();
      return;
    }
    // A script that says something later may wait until its client has seen this.
    if (started.stdout.readableLength === 0) response.flushHeaders();
    await sendStream(
      exchange,
      relayed(started.stdout, length, () => started.moved()),
    );
    const end = await Promise.race([started.ended, sleep(END_MS, undefined, { ref: false })]);
    // What it would have written is unknown, so the response must not look whole.
    if (end?.signal) throw new XferError('TRUNCATED', `send: the script was ended by ${end.signal}`);
    response.end();
  }

  /** Answers for a script that gave no head: 504 where it was too slow, 500 where it could not be started, else 502. */
  async #refuseHead({ request, response }: Exchange, started: Script, script: ScriptPath, fault: unknown) {
    started.stop();
    const { error, exitCode } = await started.ended;
    if (response.destroyed) return;
    const { message } = toXferError(error ?? fault, 'start');
    const words = exitCode ? `${message}; its exit code was ${exitCode}` : message;
    this.#note(script, started.timedOut ? 'nothing came from it for too long' : words);
    refuse(request, response, started.timedOut ? 504 : error ? 500 : 502, closing(request.headers));
  }

  #note({ path }: Pick<ScriptPath, 'path' | 'entry'>, words: string): void {
    this.#settings.onNotice(`cgi /${path}: ${words}`);
  }
}

/** The body of the request is what the script reads; one that does not read it is no reason to keep the client waiting. */
function feed({ request, response }: Exchange, script: Script, bodyBytes: number): void {
  const { stdin } = script;
  if (bodyBytes === 0) {
    stdin.end();
    return;
  }
  if (expectsContinue(request)) response.writeContinue();
  request.on('data', () => script.moved());
  request.pipe(stdin);
  stdin.once('close', () => {
    request.unpipe(stdin);
    request.resume();
  });
}
