/** What a script is told of its request: the meta-variables of RFC 3875, 4.1, and nothing of our own environment but these. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { plainAddress } from '../../../../listening/client-address.js';
import { readVersion } from '../../../../version.js';

/** A script needs them to find programs; Windows starts none without the rest. */
const INHERITED = ['PATH'];
const INHERITED_ON_WINDOWS = ['PATH', 'SystemRoot', 'SystemDrive', 'windir', 'COMSPEC', 'PATHEXT', 'TEMP', 'TMP'];

/**
 * Fields that are no HTTP_ variable: of the connection alone (RFC 9110, 7.6.1), told in variables of their own, secret
 * (RFC 3875, 4.1.18), or taken by programs for the address of a proxy (httpoxy, CVE-2016-5385).
 */
const NOT_TOLD = new Set([
  'authorization',
  'connection',
  'content-length',
  'content-type',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const SERVER_SOFTWARE = `xfer/${readVersion()}`;

export interface ScriptRequest {
  readonly request: IncomingMessage;
  /** The script as the path of its address, not escaped. */
  readonly scriptName: string;
  readonly pathInfo: string;
  /** What `pathInfo` would be on this machine's disk; absent with an empty one. */
  readonly pathTranslated?: string;
  /** Raw, without its `?`. */
  readonly query: string;
  /** Bytes of the request's body. */
  readonly bodyBytes: number;
  /** The name that the client has logged in with. */
  readonly user?: string | undefined;
}

/** The whole environment of the script. `own` is ours. */
export function scriptEnvironment(
  asked: ScriptRequest,
  own: NodeJS.ProcessEnv,
  platform: NodeJS.Platform,
): Record<string, string> {
  const { request, scriptName, pathInfo, pathTranslated, query, bodyBytes, user } = asked;
  const { socket, headers } = request;
  const client = plainAddress(socket.remoteAddress ?? '');
  const type = headers['content-type'];
  return {
    ...inherited(own, platform),
    ...fieldVariables(headers),
    GATEWAY_INTERFACE: 'CGI/1.1',
    SERVER_SOFTWARE,
    SERVER_PROTOCOL: `HTTP/${request.httpVersion}`,
    SERVER_NAME: serverName(headers.host, socket),
    SERVER_PORT: String(socket.localPort ?? 0),
    REQUEST_METHOD: request.method ?? 'GET',
    SCRIPT_NAME: scriptName,
    PATH_INFO: pathInfo,
    // One byte for each character: what is no ASCII is escaped as it should have been.
    QUERY_STRING: query.replace(/[^\x21-\x7e]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`),
    REMOTE_ADDR: client,
    REMOTE_HOST: client,
    ...(pathTranslated === undefined ? {} : { PATH_TRANSLATED: pathTranslated }),
    ...(bodyBytes > 0 || headers['content-length'] !== undefined ? { CONTENT_LENGTH: String(bodyBytes) } : {}),
    ...(type === undefined ? {} : { CONTENT_TYPE: asText(type) }),
    ...('encrypted' in socket ? { HTTPS: 'on' } : {}),
    ...(user === undefined ? {} : { AUTH_TYPE: 'Basic', REMOTE_USER: user }),
  };
}

function inherited(own: NodeJS.ProcessEnv, platform: NodeJS.Platform): Record<string, string> {
  const names = platform === 'win32' ? INHERITED_ON_WINDOWS : INHERITED;
  return Object.fromEntries(names.flatMap((name) => (own[name] === undefined ? [] : [[name, own[name]]])));
}

function fieldVariables(headers: IncomingMessage['headers']): Record<string, string> {
  const named = String(headers.connection ?? '')
    .toLowerCase()
    .split(/[\t ,]+/);
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    // With `_` in a name, two fields would be one variable.
    if (value === undefined || !/^[a-z0-9-]+$/.test(name) || NOT_TOLD.has(name) || named.includes(name)) continue;
    variables[`HTTP_${name.toUpperCase().replaceAll('-', '_')}`] = asText(String(value));
  }
  return variables;
}

/** The bytes of a field as text, as far as they are UTF-8: the environment is written in it. */
function asText(field: string): string {
  if (/^[\x20-\x7e]*$/.test(field)) return field;
  const text = Buffer.from(field, 'latin1').toString('utf8');
  return text.includes('\ufffd') ? field : text;
}

function serverName(host: string | undefined, socket: Socket): string {
  const [, name] = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d*)?$/.exec(host ?? '') ?? [];
  return name ?? (plainAddress(socket.localAddress ?? '') || 'localhost');
}
