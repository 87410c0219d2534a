/** The declarations that a program in TypeScript reads, as they are published. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const ENTRY = join(import.meta.dirname, '..', 'dist', 'index.d.ts');
const SPECIFIER = /(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g;

/** The declarations that `entry` leads to, each with what it imports. */
function reach(entry: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const waiting = [entry];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (found.has(file)) continue;
    const specifiers = [...readFileSync(file, 'utf8').matchAll(SPECIFIER)].map(([, specifier]) => specifier as string);
    found.set(file, specifiers);
    const relative = specifiers.filter((specifier) => specifier.startsWith('.'));
    for (const each of relative) waiting.push(join(dirname(file), each.replace(/\.js$/, '.d.ts')));
  }
  return found;
}

test("the public types need no types but Node's own, which a program without skipLibCheck would miss", () => {
  const files = reach(ENTRY);
  assert.ok(files.size > 20);
  const foreign = [...files].flatMap(([file, specifiers]) =>
    specifiers.filter((each) => !/^(?:\.|node:)/.test(each)).map((each) => `${file} -> ${each}`),
  );
  assert.deepEqual(foreign, []);
});
