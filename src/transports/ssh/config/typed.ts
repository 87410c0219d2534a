/** The values of keywords, as the types that a configuration has. */
import type { ConfigReader } from './parse.js';

const LONGEST_TIMEOUT_MS = 0x7fffffff;

export class ConfigValues {
  readonly #settings: ConfigReader['settings'];

  constructor({ settings }: Pick<ConfigReader, 'settings'>) {
    this.#settings = settings;
  }

  text(keyword: string): string | undefined {
    return this.#settings.get(keyword)?.words[0];
  }

  texts(keyword: string): readonly string[] | undefined {
    return this.#settings.get(keyword)?.words;
  }

  /** Undefined where `none` was set, too. */
  unlessNone(keyword: string): string | undefined {
    const value = this.text(keyword);
    return value?.toLowerCase() === 'none' ? undefined : value;
  }

  /** A keyword that was set, with its value and its place. */
  written(keyword: string): string {
    return this.#settings.get(keyword)?.written ?? keyword;
  }

  flag(keyword: string, usual: boolean): boolean {
    const value = this.text(keyword);
    return value === undefined ? usual : value === 'yes';
  }

  count(keyword: string, usual: number): number {
    const value = this.text(keyword);
    return value === undefined ? usual : Number(value);
  }

  /** 0 for `none` and where nothing was set. */
  timeMs(keyword: string): number {
    const value = this.text(keyword);
    return value === undefined || value === 'none' ? 0 : Math.min(Number(value) * 1000, LONGEST_TIMEOUT_MS);
  }
}

/** A list that `none` empties. */
export function withoutNone(words: readonly string[]): readonly string[] {
  return words[0]?.toLowerCase() === 'none' ? [] : words;
}
