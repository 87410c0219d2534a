/** The keywords of ssh_config.5: which exist, which are read here and what their values may be. */
import { badLine, type Place, splitWords } from './config-words.js';
import { jumpHops, jumpText } from './proxy-jump.js';

/** Keywords that OpenSSH knows and that mean nothing to a copy; any value is let through, as it may come from a newer ssh. */
const OTHER_KEYWORDS = new Set(
  `addkeystoagent afstokenpassing canonicaldomains canonicalizefallbacklocal canonicalizemaxdots
  canonicalizepermittedcnames casignaturealgorithms channeltimeout checkhostip cipher clearallforwardings
  compressionlevel controlmaster controlpath controlpersist dynamicforward enableescapecommandline
  enablesshkeysign escapechar exitonforwardfailure fallbacktorsh fingerprinthash forkafterauthentication
  forwardx11 forwardx11timeout forwardx11trusted gatewayports globalknownhostsfile2 gssapiauthentication
  gssapiclientidentity gssapidelegatecredentials gssapikexalgorithms gssapikeyexchange gssapirenewalforcesrekey
  gssapiserveridentity gssapitrustdns hostbasedacceptedalgorithms hostbasedauthentication hostbasedkeytypes ipqos
  kbdinteractivedevices kerberosauthentication kerberostgtpassing localcommand localforward loglevel
  logverbose nohostauthenticationforlocalhost obscurekeystroketiming permitlocalcommand permitremoteopen protocol
  protocolkeepalives proxyusefdpass pubkeyacceptedalgorithms pubkeyacceptedkeytypes refuseconnection rekeylimit
  remotecommand remoteforward requesttty requiredrsasize rhostsauthentication rhostsrsaauthentication
  rsaauthentication sendenv sessiontype setenv setuptimeout smartcarddevice stdinnull streamlocalbindmask
  streamlocalbindunlink syslogfacility tag tunnel tunneldevice updatehostkeys useblacklistedkeys
  usekeychain useprivilegedport userknownhostsfile2 useroaming usersh verifyhostkeydns versionaddendum visualhostkey
  warnweakcrypto xauthlocation`.split(/\s+/),
);

const ALIASES: Record<string, string> = {
  challengeresponseauthentication: 'kbdinteractiveauthentication',
  skeyauthentication: 'kbdinteractiveauthentication',
  tisauthentication: 'kbdinteractiveauthentication',
  dsaauthentication: 'pubkeyauthentication',
  identityfile2: 'identityfile',
  keepalive: 'tcpkeepalive',
};

/** Keywords that ask for what is not done here, and the values with which they ask for nothing. */
const UNSUPPORTED: Record<string, readonly string[]> = {
  canonicalizehostname: ['no', 'false'],
  certificatefile: ['none'],
  knownhostscommand: ['none'],
  pkcs11provider: ['none'],
  revokedhostkeys: ['none'],
  securitykeyprovider: ['internal', 'none'],
};

type ValueKind = 'word' | 'command' | 'hops' | 'words' | 'port' | 'count' | 'time' | Record<string, string>;

const FLAG = { yes: 'yes', true: 'yes', no: 'no', false: 'no' };

/** Keywords that are read, and what they take: a choice maps what may be written to what it means. */
const VALUES: Record<string, ValueKind> = {
  addressfamily: { any: 'any', inet: 'inet', inet6: 'inet6' },
  batchmode: FLAG,
  bindaddress: 'word',
  bindinterface: 'word',
  ciphers: 'word',
  compression: { yes: 'yes', no: 'no' },
  connectionattempts: 'count',
  connecttimeout: 'time',
  forwardagent: 'word',
  globalknownhostsfile: 'words',
  hashknownhosts: FLAG,
  hostkeyalgorithms: 'word',
  hostkeyalias: 'word',
  hostname: 'word',
  identitiesonly: FLAG,
  identityagent: 'word',
  identityfile: 'word',
  ignoreunknown: 'word',
  kbdinteractiveauthentication: FLAG,
  kexalgorithms: 'word',
  macs: 'word',
  numberofpasswordprompts: 'count',
  passwordauthentication: FLAG,
  port: 'port',
  preferredauthentications: 'word',
  proxycommand: 'command',
  proxyjump: 'hops',
  pubkeyauthentication: { ...FLAG, unbound: 'yes', 'host-bound': 'yes' },
  serveralivecountmax: 'count',
  serveraliveinterval: 'time',
  stricthostkeychecking: { ...FLAG, off: 'no', ask: 'ask', 'accept-new': 'accept-new' },
  tcpkeepalive: FLAG,
  user: 'word',
  userknownhostsfile: 'words',
};

export type KeywordUse = 'block' | 'value' | 'unsupported' | 'other' | 'unknown';

/** The one name of a keyword that has several. */
export function canonicalKeyword(keyword: string): string {
  return Object.hasOwn(ALIASES, keyword) ? (ALIASES[keyword] as string) : keyword;
}

/** What is done with a canonical keyword. */
export function keywordUse(keyword: string): KeywordUse {
  if (keyword === 'host' || keyword === 'match' || keyword === 'include') return 'block';
  if (Object.hasOwn(VALUES, keyword)) return 'value';
  if (Object.hasOwn(UNSUPPORTED, keyword)) return 'unsupported';
  return OTHER_KEYWORDS.has(keyword) ? 'other' : 'unknown';
}

/** Whether an 'unsupported' keyword with this value asks for nothing after all. */
export function asksForNothing(keyword: string, value: string): boolean {
  return UNSUPPORTED[keyword]?.includes(value.toLowerCase()) ?? false;
}

/** The words of a 'value' keyword, or the one text of a keyword that takes the rest of its line as it stands. USAGE. */
export function wordsOf(keyword: string, rest: string, place: Place): readonly string[] {
  const words = splitWords(rest, place);
  const kind = VALUES[keyword];
  if (kind !== 'command' && kind !== 'hops') return words;
  const text = rest.replace(/^[ \t=]+/, '');
  return [kind === 'hops' ? jumpText(text) : text];
}

/** Whether a 'value' keyword takes a time. */
export function isTime(keyword: string): boolean {
  return VALUES[keyword] === 'time';
}

const MOST_FILES = 32;

/** The checked value of a 'value' keyword: choices by their meaning, times in seconds or `none`. USAGE where it is not right. */
export function checkValue(keyword: string, words: readonly string[], place: Place): readonly string[] {
  const kind = VALUES[keyword] as ValueKind;
  const first = words[0];
  if (first === undefined || words.includes('')) throw badLine(place, `${keyword}: missing argument`);
  if (kind === 'words') {
    if (words.length > MOST_FILES) throw badLine(place, `${keyword}: more than ${MOST_FILES} files`);
    if (words.length > 1 && words.some((word) => word.toLowerCase() === 'none')) {
      throw badLine(place, `${keyword}: "none" must appear alone`);
    }
    return words;
  }
  if (words.length > 1) throw badLine(place, `keyword ${keyword} extra arguments at end of line`);
  return [checkWord(kind, first, `${keyword} ${first}`, place)];
}

function checkWord(kind: Exclude<ValueKind, 'words'>, word: string, what: string, place: Place): string {
  if (kind === 'word' || kind === 'command') return word;
  if (kind === 'hops') return checkHops(word, what, place);
  if (kind === 'time') return checkTime(word, what, place);
  if (kind === 'port') {
    if (!/^[0-9]{1,5}$/.test(word) || Number(word) < 1 || Number(word) > 65535) {
      throw badLine(place, `${what}: not a number from 1 to 65535`);
    }
    return String(Number(word));
  }
  if (kind === 'count') {
    if (!/^[0-9]{1,10}$/.test(word) || Number(word) > 0x7fffffff) throw badLine(place, `${what}: not a number`);
    return String(Number(word));
  }
  const choice = word.toLowerCase();
  if (Object.hasOwn(kind, choice)) return kind[choice] as string;
  throw badLine(place, `${what}: not one of ${Object.keys(kind).join(', ')}`);
}

function checkHops(word: string, what: string, place: Place): string {
  try {
    if (word.toLowerCase() !== 'none') jumpHops(word);
    return word;
  } catch (error) {
    throw badLine(place, `${what}: ${error instanceof Error ? error.message : error}`);
  }
}

const SECONDS: Record<string, number> = { '': 1, s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

/** A time as sshd_config.5 writes it, such as `1h30m`, in seconds; or `none`. */
function checkTime(word: string, what: string, place: Place): string {
  if (word === 'none') return word;
  if (!/^(?:[0-9]+[smhdw])*[0-9]+[smhdw]?$/i.test(word))
    throw badLine(place, `${what}: not a time such as 90 or 1m30s`);
  let seconds = 0;
  for (const [, digits, unit] of word.matchAll(/([0-9]+)([smhdw]?)/gi)) {
    seconds += Number(digits) * (SECONDS[(unit as string).toLowerCase()] as number);
  }
  if (seconds > 0x7fffffff) throw badLine(place, `${what}: too long`);
  return String(seconds);
}
