/** OpenSSH's patterns (ssh_config.5, PATTERNS): `*`, `?`, comma lists and `!`. In time linear in pattern times text. */

/** Whether all of `text` matches one pattern. Case counts. */
export function matchesPattern(text: string, pattern: string): boolean {
  let at = 0;
  let want = 0;
  let star = -1;
  let retry = 0;
  while (at < text.length) {
    if (pattern[want] === '*') {
      star = want++;
      retry = at;
    } else if (want < pattern.length && (pattern[want] === '?' || pattern[want] === text[at])) {
      want++;
      at++;
    } else if (star >= 0) {
      want = star + 1;
      at = ++retry;
    } else return false;
  }
  while (pattern[want] === '*') want++;
  return want === pattern.length;
}

const LONGEST_PATTERN = 1022;

/** Whether one pattern of a comma list matches and no negated one does. A pattern that is too long spoils the list. */
export function matchesPatternList(text: string, list: string): boolean {
  let found = false;
  for (const item of list.split(',')) {
    const negated = item.startsWith('!');
    const pattern = negated ? item.slice(1) : item;
    if (pattern.length > LONGEST_PATTERN) return false;
    if (!matchesPattern(text, pattern)) continue;
    if (negated) return false;
    found = true;
  }
  return found;
}

/** `matchesPatternList` for host names, where case does not count. */
export function matchesHostList(host: string, list: string): boolean {
  return matchesPatternList(host.toLowerCase(), list.toLowerCase());
}
