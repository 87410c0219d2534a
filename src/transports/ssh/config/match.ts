/** The criteria of a `Match` line (ssh_config.5, Match), read and answered in order, as OpenSSH does. */

import { matchesHostList, matchesPatternList } from './patterns.js';
import { badLine, type Place, takeWord } from './words.js';

/** What a `Match` line may ask about. */
export interface MatchSubject {
  /** What will be connected to, as far as it is known by now. */
  readonly host: string;
  /** As it was typed. */
  readonly originalHost: string;
  readonly user: string;
  readonly localUser: string;
  /** Whether this is the second reading, which `final` and `canonical` ask for. */
  readonly final: boolean;
  /** `final` asks for a second reading, whether its line matches or not. */
  wantFinal(): void;
  /** Expands a command, and starts it where `run` says so. Whether it ended with 0. */
  execute(command: string, run: boolean): Promise<boolean>;
  /** A criterion that is known, and cannot be answered here, stood on a line that would match. */
  unanswered(name: string): void;
}

interface Criterion {
  readonly name: string;
  readonly argument: string;
  readonly negated: boolean;
}

const WITH_ARGUMENT = new Set('exec host localuser originalhost user'.split(' '));
const WITHOUT_ARGUMENT = new Set(['canonical', 'final']);

/** Criteria of newer versions of OpenSSH; a block with one does not match, and is told. */
const UNANSWERED = new Set('command localnetwork sessiontype tagged version'.split(' '));

/** Whether a `Match` line holds. USAGE where it is not right, and what `execute` rejects with. */
export async function matchesCriteria(text: string, place: Place, subject: MatchSubject): Promise<boolean> {
  let result = true;
  let unanswered: string | undefined;
  for (const criterion of readCriteria(text, place)) {
    if (UNANSWERED.has(criterion.name)) unanswered ??= criterion.name;
    else if ((await answer(criterion, subject, result)) === criterion.negated) result = false;
  }
  if (!result || unanswered === undefined) return result;
  subject.unanswered(unanswered);
  return false;
}

function readCriteria(text: string, place: Place): Criterion[] {
  const line = new Line(text, place);
  const criteria: Criterion[] = [];
  for (let word = line.next(); word !== ''; word = line.next()) {
    const negated = word.startsWith('!');
    const name = (negated ? word.slice(1) : word).toLowerCase();
    if (name === 'all') {
      if (criteria.length > 1 || line.next() !== '') {
        throw badLine(place, "'all' cannot be combined with other attributes");
      }
      criteria.push({ name, argument: '', negated });
      break;
    }
    criteria.push({ name, argument: readArgument(name, line, place), negated });
  }
  line.end();
  if (criteria.length === 0) throw badLine(place, 'no Match attribute');
  return criteria;
}

function readArgument(name: string, line: Line, place: Place): string {
  if (WITHOUT_ARGUMENT.has(name)) return '';
  const argument = line.next();
  if (argument === '') throw badLine(place, `missing argument for Match '${name}'`);
  if (WITH_ARGUMENT.has(name) || UNANSWERED.has(name)) return argument;
  throw badLine(place, `unsupported Match attribute ${name}`);
}

/** Whether a criterion holds, before it is negated; `run` is false where an earlier one does not. */
async function answer({ name, argument }: Criterion, subject: MatchSubject, run: boolean): Promise<boolean> {
  if (name === 'all') return true;
  if (name === 'final') subject.wantFinal();
  if (WITHOUT_ARGUMENT.has(name)) return subject.final;
  if (name === 'host') return matchesHostList(subject.host, argument);
  if (name === 'originalhost') return matchesHostList(subject.originalHost, argument);
  if (name === 'user') return matchesPatternList(subject.user, argument);
  if (name === 'localuser') return matchesPatternList(subject.localUser, argument);
  return subject.execute(argument, run);
}

/** The words of a line, one by one; a word that starts with `#` ends it. */
class Line {
  #rest: string | undefined;
  readonly #place: Place;

  constructor(text: string, place: Place) {
    this.#rest = text;
    this.#place = place;
  }

  /** Empty at the end. */
  next(): string {
    const taken = this.#rest === undefined ? undefined : takeWord(this.#rest);
    this.#rest = taken?.rest;
    if (taken?.word.startsWith('#')) this.#rest = undefined;
    return taken === undefined || taken.word.startsWith('#') ? '' : taken.word;
  }

  end(): void {
    if (this.#rest) throw badLine(this.#place, 'Match: more than its criteria');
  }
}
