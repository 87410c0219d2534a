/** What is kept for as long as there is room: what was not used for longest goes first. */

export interface Room<Key, Value> {
  readonly most: number;
  /** Of all together, as `weightOf` counts them. */
  readonly mostWeight?: number;
  readonly weightOf?: (value: Value) => number;
  /** Told of each that had to go. */
  readonly onDrop?: (key: Key, value: Value) => void;
}

export class Recent<Key, Value> {
  readonly #room: Room<Key, Value>;
  /** In the order in which they were used last. */
  readonly #kept = new Map<Key, Value>();
  #weight = 0;

  constructor(room: Room<Key, Value>) {
    this.#room = room;
  }

  /** Undefined where it is not kept; else this counts as its last use. */
  get(key: Key): Value | undefined {
    const value = this.#kept.get(key);
    if (value === undefined) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, value);
    return value;
  }

  /** Keeps a value in place of the one of its key, and drops what there is no room for: the value itself, too, where it is too heavy. */
  set(key: Key, value: Value): void {
    this.delete(key);
    this.#kept.set(key, value);
    this.#weight += this.#weightOf(value);
    const { most, mostWeight = Number.POSITIVE_INFINITY, onDrop } = this.#room;
    for (const [oldest, dropped] of this.#kept) {
      if (this.#kept.size <= most && this.#weight <= mostWeight) break;
      this.delete(oldest);
      onDrop?.(oldest, dropped);
    }
  }

  /** Whether it was kept. */
  delete(key: Key): boolean {
    const value = this.#kept.get(key);
    if (value === undefined) return false;
    this.#weight -= this.#weightOf(value);
    return this.#kept.delete(key);
  }

  #weightOf(value: Value): number {
    return this.#room.weightOf?.(value) ?? 0;
  }
}
