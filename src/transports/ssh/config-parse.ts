/** Reads ssh_config files: which lines count for a host, and the first value of each keyword. */
import { posix, win32 } from 'node:path';
import { XferError } from '../../errors.js';
import { expandGlob, readConfigFile } from './config-files.js';
import { asksForNothing, canonicalKeyword, checkValue, isTime, keywordUse, wordsOf } from './config-keywords.js';
import { expandPercent, expandTilde } from './config-tokens.js';
import { badLine, type Directive, describePlace, type Place, splitDirective, splitWords } from './config-words.js';
import { matchesHostList, matchesPattern, matchesPatternList } from './patterns.js';

export interface ConfigSubject {
  readonly host: string;
  readonly user?: string | undefined;
  readonly localUser: string;
  readonly home: string;
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

const DEEPEST_INCLUDE = 16;
const MOST_FILES_READ = 1024;
const MOST_IDENTITY_FILES = 100;

/** Criteria that are known and cannot be answered here; a block with one does not match, and is told. */
const UNANSWERED = new Set('canonical command exec final localnetwork sessiontype tagged version'.split(' '));
const WITHOUT_ARGUMENT = new Set(['all', 'canonical', 'final']);

/** Collects settings from command-line options and files, in the order in which they are applied. */
export class ConfigReader {
  /** Keyword -> first value. */
  readonly values = new Map<string, readonly string[]>();
  readonly identityFiles: string[] = [];
  /** What was asked for and is not done, as `ProxyJump bastion (path:12)`. */
  readonly unsupported: string[] = [];
  readonly #subject: ConfigSubject;
  #filesRead = 0;

  constructor(subject: ConfigSubject) {
    this.#subject = subject;
  }

  /** Applies `-o` options, each `keyword=value` or `keyword value`. USAGE. */
  async applyOptions(options: readonly string[]): Promise<void> {
    const block = { active: true, never: false };
    const use = { folder: posix.join(this.#subject.home, '.ssh'), own: true, checkOwner: true };
    for (const option of options) await this.#applyLine(option, { file: 'command line', line: 0 }, block, use, 0);
  }

  /** Applies a file. USAGE names file and line; DENIED and NOT_FOUND as `readConfigFile` and `use` say. */
  async applyFile(path: string, use: FileUse): Promise<void> {
    await this.#readFile(path, use, { active: true, never: false }, 0);
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
    const keyword = canonicalKeyword(directive.keyword);
    const kind = keywordUse(keyword);
    if (kind === 'unknown') return this.#checkIgnored(directive, place);
    if (kind === 'other') return;
    if (kind === 'unsupported') return this.#takeUnsupported(keyword, directive, place, block.active);
    if (kind === 'value') {
      const value = checkValue(keyword, wordsOf(keyword, directive.rest, place), place);
      return this.#takeValue(keyword, value, place, block.active);
    }
    const words = splitWords(directive.rest, place);
    if (words.includes('')) throw badLine(place, `keyword ${keyword} empty argument`);
    if (keyword === 'include') return this.#include(words, place, block, use, depth);
    const matches = keyword === 'host' ? this.#matchesHost(words) : this.#matchesCriteria(words, place, block.never);
    block.active = matches && !block.never;
  }

  #checkIgnored(directive: Directive, place: Place): void {
    const ignored = this.values.get('ignoreunknown')?.[0];
    if (ignored !== undefined && matchesPatternList(directive.keyword, ignored.toLowerCase())) return;
    throw badLine(place, `Bad configuration option: ${directive.written}`);
  }

  #takeValue(keyword: string, value: readonly string[], place: Place, active: boolean): void {
    if (!active) return;
    // To OpenSSH `none` is a time that was not set yet, so a later line still counts.
    if (value[0] === 'none' && isTime(keyword)) return;
    if (keyword === 'identityfile') {
      const [file] = value as [string];
      if (this.identityFiles.includes(file)) return;
      if (this.identityFiles.length >= MOST_IDENTITY_FILES) throw badLine(place, 'too many identity files');
      this.identityFiles.push(file);
    } else if (!this.values.has(keyword) && !this.#isProxyDecided(keyword)) this.values.set(keyword, value);
  }

  #takeUnsupported(keyword: string, directive: Directive, place: Place, active: boolean): void {
    const value = splitWords(directive.rest, place).join(' ');
    if (value === '') throw badLine(place, `${keyword}: missing argument`);
    if (!active) return;
    if (this.values.has(keyword) && keyword !== 'certificatefile') return;
    this.values.set(keyword, [value]);
    if (asksForNothing(keyword, value)) return;
    this.unsupported.push(`${directive.written} ${value} (${describePlace(place)})`);
  }

  /** ProxyJump and ProxyCommand compete: the first of either wins (ssh_config.5, ProxyJump). */
  #isProxyDecided(keyword: string): boolean {
    if (keyword !== 'proxyjump' && keyword !== 'proxycommand') return false;
    return this.values.has('proxyjump') || this.values.has('proxycommand');
  }

  async #include(words: readonly string[], place: Place, block: Block, use: FileUse, depth: number): Promise<void> {
    for (const word of words) {
      if (word.startsWith('~') && !use.own) throw badLine(place, `bad include path ${word}`);
      const path = expandTilde(word, this.#subject.home, this.#subject.localUser);
      const absolute = process.platform === 'win32' ? win32.isAbsolute(path) : posix.isAbsolute(path);
      const pattern = absolute ? path : `${use.folder}/${path}`;
      const portable = process.platform === 'win32' ? pattern.replaceAll('\\', '/') : pattern;
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
      if (!matchesPattern(this.#subject.host, negated ? item.slice(1) : item)) continue;
      if (negated) return false;
      found = true;
    }
    return found;
  }

  /** Evaluates a `Match` line; one with a criterion that nobody here can answer counts as not matching. */
  #matchesCriteria(words: readonly string[], place: Place, never: boolean): boolean {
    const criteria = readCriteria(words, place);
    const unanswered = criteria.filter(({ name }) => UNANSWERED.has(name));
    const answered = criteria.filter(({ name }) => !UNANSWERED.has(name));
    if (!answered.every(({ name, list, negated }) => this.#answers(name, list) !== negated)) return false;
    const [first] = unanswered;
    if (!first) return true;
    if (!never) this.unsupported.push(`Match ${first.name} (${describePlace(place)})`);
    return false;
  }

  #answers(name: string, list: string): boolean {
    const { host, user, localUser } = this.#subject;
    if (name === 'host') return matchesHostList(this.#hostName(), list);
    if (name === 'originalhost') return matchesHostList(host, list);
    if (name === 'user') return matchesPatternList(user ?? this.values.get('user')?.[0] ?? localUser, list);
    if (name === 'localuser') return matchesPatternList(localUser, list);
    return true;
  }

  #hostName(): string {
    const { host } = this.#subject;
    const hostName = this.values.get('hostname')?.[0];
    return hostName === undefined ? host : expandPercent(hostName, { h: host }, 'HostName');
  }
}

interface Criterion {
  readonly name: string;
  readonly list: string;
  readonly negated: boolean;
}

const ANSWERED = new Set(['all', 'host', 'originalhost', 'user', 'localuser']);

function readCriteria(words: readonly string[], place: Place): Criterion[] {
  const criteria: Criterion[] = [];
  const rest = words.flatMap((word) => /^(!?[a-z]+)=(.+)$/is.exec(word)?.slice(1) ?? [word]);
  while (rest.length > 0) {
    const word = (rest.shift() as string).toLowerCase();
    const negated = word.startsWith('!');
    const name = negated ? word.slice(1) : word;
    if (!ANSWERED.has(name) && !UNANSWERED.has(name)) throw badLine(place, `unsupported Match attribute ${word}`);
    const list = WITHOUT_ARGUMENT.has(name) ? '' : rest.shift();
    if (list === undefined) throw badLine(place, `missing argument for Match '${name}'`);
    criteria.push({ name, list, negated });
  }
  const all = criteria.findIndex(({ name }) => name === 'all');
  const before = criteria.slice(0, Math.max(all, 0));
  const alone = all === criteria.length - 1 && before.every(({ name }) => name === 'canonical' || name === 'final');
  if (all >= 0 && (!alone || criteria[all]?.negated))
    throw badLine(place, `'all' cannot be combined with other attributes`);
  if (criteria.length === 0) throw badLine(place, 'no Match attribute');
  return criteria;
}
