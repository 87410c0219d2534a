/** The keywords of ssh_config.5: which exist, which are read here and what kind of value they take. */

/** Keywords that OpenSSH knows and that mean nothing to a copy; any value is let through, as it may come from a newer ssh. */
const OTHER_KEYWORDS = new Set(
  `addkeystoagent afstokenpassing casignaturealgorithms channeltimeout cipher clearallforwardings
  compressionlevel controlmaster controlpath controlpersist dynamicforward enableescapecommandline
  enablesshkeysign escapechar exitonforwardfailure fallbacktorsh fingerprinthash forkafterauthentication
  forwardx11 forwardx11timeout forwardx11trusted gatewayports globalknownhostsfile2 gssapiauthentication
  gssapiclientidentity gssapidelegatecredentials gssapikexalgorithms gssapikeyexchange gssapirenewalforcesrekey
  gssapiserveridentity gssapitrustdns hostbasedacceptedalgorithms hostbasedauthentication hostbasedkeytypes ipqos
  kbdinteractivedevices kerberosauthentication kerberostgtpassing localcommand localforward loglevel
  logverbose obscurekeystroketiming permitlocalcommand permitremoteopen protocol
  protocolkeepalives pubkeyacceptedalgorithms pubkeyacceptedkeytypes refuseconnection rekeylimit
  remotecommand remoteforward requesttty rhostsauthentication rhostsrsaauthentication
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
  certificatefile: ['none'],
  pkcs11provider: ['none'],
  securitykeyprovider: ['internal', 'none'],
};

/**
 * `agent`: a path or `$NAME`; `aliases`: `from:to` lists; `command` and `hops`: the rest of the line; `words`: several;
 * a record: what may be written -> what it means.
 */
export type ValueKind =
  | 'agent'
  | 'algorithms'
  | 'aliases'
  | 'command'
  | 'count'
  | 'domains'
  | 'hops'
  | 'port'
  | 'time'
  | 'word'
  | 'words'
  | Readonly<Record<string, string>>;

const FLAG = { yes: 'yes', true: 'yes', no: 'no', false: 'no' };

/** Keywords that are read, and what they take. */
const VALUES: Record<string, ValueKind> = {
  addressfamily: { any: 'any', inet: 'inet', inet6: 'inet6' },
  batchmode: FLAG,
  bindaddress: 'word',
  bindinterface: 'word',
  canonicaldomains: 'domains',
  canonicalizefallbacklocal: FLAG,
  canonicalizehostname: { ...FLAG, always: 'always' },
  canonicalizemaxdots: 'count',
  canonicalizepermittedcnames: 'aliases',
  checkhostip: FLAG,
  ciphers: 'algorithms',
  compression: { yes: 'yes', no: 'no' },
  connectionattempts: 'count',
  connecttimeout: 'time',
  forwardagent: 'agent',
  globalknownhostsfile: 'words',
  hashknownhosts: FLAG,
  hostkeyalgorithms: 'algorithms',
  hostkeyalias: 'word',
  hostname: 'word',
  identitiesonly: FLAG,
  identityagent: 'agent',
  identityfile: 'word',
  ignoreunknown: 'word',
  kbdinteractiveauthentication: FLAG,
  kexalgorithms: 'algorithms',
  knownhostscommand: 'command',
  macs: 'algorithms',
  nohostauthenticationforlocalhost: FLAG,
  numberofpasswordprompts: 'count',
  passwordauthentication: FLAG,
  port: 'port',
  preferredauthentications: 'word',
  proxycommand: 'command',
  proxyjump: 'hops',
  proxyusefdpass: FLAG,
  pubkeyauthentication: { ...FLAG, unbound: 'yes', 'host-bound': 'yes' },
  requiredrsasize: 'count',
  revokedhostkeys: 'word',
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

/** What a 'value' keyword takes. */
export function valueKind(keyword: string): ValueKind {
  return VALUES[keyword] as ValueKind;
}
