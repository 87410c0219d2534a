/** Reads ssh_config files: which lines count for a host, and the first value of each keyword. */
import { hostname } from 'node:os';
import { posix, win32 } from 'node:path';
import { XferError } from '../../../errors.js';
import { checkUserAndHost } from '../../../location.js';
import { expandGlob, readConfigFile } from './files.js';
import { expandTilde, type HomeFolders } from './home-folders.js';
import { asksForNothing, canonicalKeyword, keywordUse, valueKind } from './keywords.js';
import { matchesCriteria } from './match.js';
import { matchesPattern, matchesPatternList } from './patterns.js';
import { type Surroundings, shellSucceeds } from './shell-command.js';
import { clientTokens, expandPercent } from './tokens.js';
import { readValue } from './values.js';
import { badLine, type Directive, describePlace, type Place, splitDirective, splitWords } from './words.js';

export interface ConfigSubject extends Surroundings {
  /** As it was typed. */
  readonly host: string;
  readonly homes: HomeFolders;
  /** Ends what `Match exec` started. */
  readonly signal?: AbortSignal | undefined;
}

export interface FileUse {
  /** Where a relative `Include` starts. */
  readonly folder: string;
  /** `~` may be used in `Include`. */
  readonly own: boolean;
  /** Nobody else may be able to write to it. */
  readonly checkOwner: boolean;
  /** NOT_FOUND where it is missing, instead of nothing. */
  readonly required?: boolean;
}

/** Whether lines count at the moment; `never` holds in all of a file that a block for other hosts includes. */
interface Block {
  active: boolean;
  readonly never: boolean;
}

interface Setting {
  readonly words: readonly string[];
  /** As `KexAlgorithms a,b (path:12)`. */
  readonly written: string;
}

const DEEPEST_INCLUDE = 16;
const MOST_FILES_READ = 1024;
const MOST_IDENTITY_FILES = 100;
const COMMAND_LINE: Place = { file: 'command line', line: 0 };

/** Collects settings from command-line options and files, in the order in which they are applied. */
export class ConfigReader {
  /** Keyword -> first value. */
  readonly settings = new Map<string, Setting>();
  readonly identityFiles: string[] = [];
  /** What was asked for and is not done, as `CertificateFile x (path:12)`. */
  readonly unsupported = new Set<string>();
  /** Whether a line asked for a second reading by `Match final`. */
  wantsFinal = false;
  readonly #subject: ConfigSubject;
  /** What `Host` is compared with. */
  #host: string;
  #final = false;
  #filesRead = 0;

  constructor(subject: ConfigSubject) {
    this.#subject = subject;
    this.#host = subject.host;
  }

  /** Applies `-o` options, each `keyword=value` or `keyword value`. USAGE. */
  applyOptions(options: readonly string[]): void {
    for (const option of options) {
      const directive = splitDirective(option, COMMAND_LINE);
      if (!directive) continue;
      if (keywordUse(directive.keyword) === 'block') {
        throw badLine(COMMAND_LINE, `${directive.written} is for files`);
      }
      this.#take(directive, COMMAND_LINE, true);
    }
  }

  /** Sets what another option of the command line says. */
  setUnlessSet(keyword: string, value: string): void {
    this.#set(keyword, { words: [value], written: `${keyword} ${value} (${describePlace(COMMAND_LINE)})` });
  }

  /**
   * Applies a file. USAGE names file and line; DENIED and NOT_FOUND as `readConfigFile` and `use` say; TIMED_OUT for a
   * command that does not end.
   */
  async applyFile(path: string, use: FileUse): Promise<void> {
    await this.#readFile(path, use, { active: true, never: false }, 0);
  }

  /** Makes the files that follow a second reading, for what the host turned out to be. */
  beginFinal(hostName: string): void {
    this.#final = true;
    this.#host = hostName;
    this.#filesRead = 0;
    this.settings.set('hostname', { words: [hostName], written: hostName });
  }

  /** The host to connect to, as far as it is known by now. */
  hostName(): string {
    const set = this.settings.get('hostname')?.words[0];
    if (set === undefined || this.#final) return set ?? this.#host;
    return expandPercent(set, { h: this.#subject.host }, 'HostName');
  }

  async #readFile(path: string, use: FileUse, block: Block, depth: number): Promise<void> {
    if (depth > DEEPEST_INCLUDE || ++this.#filesRead > MOST_FILES_READ) {
      throw new XferError('USAGE', `ssh configuration ${path}: too many recursive includes`);
    }
    const text = await readConfigFile(path, use.checkOwner);
    if (text === undefined) {
      if (!use.required) return;
      throw new XferError('NOT_FOUND', `ssh configuration ${path}: no such file or directory`);
    }
    let line = 0;
    for (const written of text.split('\n')) {
      await this.#applyLine(written, { file: path, line: ++line }, block, use, depth);
    }
  }

  async #applyLine(text: string, place: Place, block: Block, use: FileUse, depth: number): Promise<void> {
    const directive = splitDirective(text, place);
    if (!directive) return;
    const { keyword, rest } = directive;
    if (keywordUse(keyword) !== 'block') return this.#take(directive, place, block.active);
    const words = splitWords(rest, place);
    if (keyword === 'match') {
      block.active = (await this.#matches(rest, place, block.never)) && !block.never;
      return;
    }
    if (words.includes('')) throw badLine(place, `${directive.written}: empty argument`);
    if (keyword === 'include') return this.#include(words, place, block, use, depth);
    block.active = this.#matchesHost(words) && !block.never;
  }

  #take(directive: Directive, place: Place, active: boolean): void {
    const keyword = canonicalKeyword(directive.keyword);
    const use = keywordUse(keyword);
    if (use === 'value') {
      const words = readValue(keyword, directive, place);
      if (active) this.#takeValue(keyword, words, directive, place);
      return;
    }
    const words = splitWords(directive.rest, place);
    if (use === 'unknown') this.#checkIgnored(directive, place);
    if (use !== 'unsupported') return;
    const [value] = words;
    if (!value) throw badLine(place, `${directive.written}: missing argument`);
    if (active) this.#takeUnsupported(keyword, value, directive, place);
  }

  #checkIgnored(directive: Directive, place: Place): void {
    const ignored = this.settings.get('ignoreunknown')?.words[0];
    if (ignored !== undefined && matchesPatternList(directive.keyword, ignored.toLowerCase())) return;
    throw badLine(place, `Bad configuration option: ${directive.written}`);
  }

  #takeValue(keyword: string, words: readonly string[], directive: Directive, place: Place): void {
    const [first] = words;
    if (first === undefined) return;
    // To OpenSSH `none` is a time that was not set yet, so a later line still counts.
    if (first === 'none' && valueKind(keyword) === 'time') return;
    const setting = { words, written: `${directive.written} ${words.join(' ')} (${describePlace(place)})` };
    if (keyword === 'identityfile') this.#takeIdentityFile(first, place);
    else if (keyword === 'forwardagent') this.#takeForwardAgent(first, setting);
    else if (!this.#isProxyDecided(keyword)) this.#set(keyword, setting);
  }

  #set(keyword: string, setting: Setting): void {
    if (!this.settings.has(keyword)) this.settings.set(keyword, setting);
  }

  #takeIdentityFile(file: string, place: Place): void {
    if (this.identityFiles.includes(file)) return;
    if (this.identityFiles.length >= MOST_IDENTITY_FILES) throw badLine(place, 'too many identity files');
    this.identityFiles.push(file);
  }

  /** Whether and which: a path says yes where nothing was said, and counts beside an earlier yes. */
  #takeForwardAgent(word: string, setting: Setting): void {
    const flag = { yes: 'yes', true: 'yes', no: 'no', false: 'no' }[word.toLowerCase()];
    this.#set('forwardagent', { ...setting, words: [flag ?? 'yes'] });
    if (flag === undefined) this.#set('forwardagentpath', setting);
  }

  #takeUnsupported(keyword: string, value: string, directive: Directive, place: Place): void {
    const setting = { words: [value], written: `${directive.written} ${value} (${describePlace(place)})` };
    if (this.settings.has(keyword) && keyword !== 'certificatefile') return;
    this.settings.set(keyword, setting);
    if (!asksForNothing(keyword, value)) this.unsupported.add(setting.written);
  }

  /** ProxyJump and ProxyCommand compete: the first wins (ssh_config.5, ProxyJump), but for a `ProxyJump none`. */
  #isProxyDecided(keyword: string): boolean {
    const jump = this.settings.get('proxyjump')?.words[0]?.toLowerCase();
    if (keyword === 'proxyjump') return jump !== undefined || this.settings.has('proxycommand');
    return keyword === 'proxycommand' && jump !== undefined && jump !== 'none';
  }

  async #include(words: readonly string[], place: Place, block: Block, use: FileUse, depth: number): Promise<void> {
    const onWindows = this.#subject.platform === 'win32';
    for (const word of words) {
      if (word.startsWith('~') && !use.own) throw badLine(place, `bad include path ${word}`);
      const path = expandTilde(word, this.#subject.homes);
      const absolute = onWindows ? win32.isAbsolute(path) : posix.isAbsolute(path);
      const pattern = absolute ? path : `${use.folder}/${path}`;
      const portable = onWindows ? pattern.replaceAll('\\', '/') : pattern;
      for (const file of await expandGlob(portable)) {
        const inner = { active: block.active, never: block.never || !block.active };
        await this.#readFile(file, { ...use, checkOwner: true, required: false }, inner, depth + 1);
      }
    }
  }

  #matchesHost(patterns: readonly string[]): boolean {
    let found = false;
    for (const item of patterns) {
      const negated = item.startsWith('!');
      if (!matchesPattern(this.#host, negated ? item.slice(1) : item)) continue;
      if (negated) return false;
      found = true;
    }
    return found;
  }

  #matches(rest: string, place: Place, never: boolean): Promise<boolean> {
    return matchesCriteria(rest, place, {
      host: this.hostName(),
      originalHost: this.#subject.host,
      user: this.#user(),
      localUser: this.#subject.homes.localUser,
      final: this.#final,
      wantFinal: () => {
        this.wantsFinal = true;
      },
      execute: (command, run) => this.#execute(command, place, run && !never),
      unanswered: (name) => {
        if (!never) this.unsupported.add(`Match ${name} (${describePlace(place)})`);
      },
    });
  }

  #user(): string {
    return this.settings.get('user')?.words[0] ?? this.#subject.homes.localUser;
  }

  /** Whether the command of `Match exec` ends with 0. What its tokens stand for must be safe in a shell. */
  async #execute(command: string, place: Place, run: boolean): Promise<boolean> {
    const { host, homes, signal } = this.#subject;
    const hostName = this.hostName();
    const tokens = clientTokens({
      host,
      hostName,
      port: Number(this.settings.get('port')?.words[0] ?? 22),
      user: this.#user(),
      localUser: homes.localUser,
      home: homes.home,
      localHost: hostname(),
      hostKeyAlias: this.settings.get('hostkeyalias')?.words[0] ?? hostName,
    });
    const what = `Match exec (${describePlace(place)})`;
    const expanded = expandPercent(command, tokens, what);
    if (!run) return false;
    checkUserAndHost(this.#user() || undefined, hostName);
    if (/%u/.test(command)) checkUserAndHost(homes.localUser, hostName);
    return shellSucceeds(expanded, what, this.#subject, signal);
  }
}
