/** The rules of who may import and use what, read from the source as text. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { test } from 'node:test';

const SRC = join(import.meta.dirname, '..', 'src');
const MOST_LINES = 350;

interface Import {
  readonly specifier: string;
  /** Erased by the compiler, so it cannot make a cycle. */
  readonly typeOnly: boolean;
  /** `import()`, which runs later than the module that holds it. */
  readonly lazy: boolean;
}

interface Module {
  /** Path below src, with `/`. */
  readonly path: string;
  readonly text: string;
  /** The text without comments, so that words about a thing are no use of it. */
  readonly code: string;
  readonly imports: readonly Import[];
}

const IMPORT = /^(?:import|export)\s+(type\s)?(?:[^;'"]*?\sfrom\s+)?'([^']+)'/gm;
const LAZY_IMPORT = /\bimport\(\s*'([^']+)'\s*\)/g;

function parseImports(code: string): Import[] {
  const found: Import[] = [];
  for (const [, type, specifier] of code.matchAll(IMPORT)) {
    found.push({ specifier: specifier as string, typeOnly: type !== undefined, lazy: false });
  }
  for (const [, specifier] of code.matchAll(LAZY_IMPORT)) {
    found.push({ specifier: specifier as string, typeOnly: false, lazy: true });
  }
  return found;
}

/** Blanks comments; a `//` inside a string of a line that starts no comment is left alone by asking for a space before. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

const modules: Module[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => {
    const text = readFileSync(join(SRC, path), 'utf8');
    const code = withoutComments(text);
    return { path: path.replaceAll('\\', '/'), text, code, imports: parseImports(code) };
  });

/** Path below src of a relative import, or undefined for a package and a node builtin. */
function target(from: Module, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return posix.join(dirname(from.path), specifier).replace(/\.js$/, '.ts');
}

/** Every import that `isBroken` says is one too many, as `from -> to`. */
function broken(isBroken: (from: Module, to: string, one: Import) => boolean): string[] {
  return modules.flatMap((from) =>
    from.imports
      .filter((one) => isBroken(from, target(from, one.specifier) ?? one.specifier, one))
      .map((one) => `${from.path} -> ${one.specifier}`),
  );
}

/** Every module outside `allowed` whose code matches. */
function users(pattern: RegExp, allowed: (path: string) => boolean): string[] {
  return modules.filter(({ path, code }) => !allowed(path) && pattern.test(code)).map(({ path }) => path);
}

const within =
  (...folders: string[]) =>
  (path: string): boolean =>
    folders.some((folder) => path === folder || path.startsWith(`${folder}/`));

const transportOf = (path: string): string | undefined => /^transports\/([^/]+)\//.exec(path)?.[1];

test('the source was found', () => {
  assert.ok(modules.length > 5);
  const transport = modules.find(({ path }) => path === 'transport.ts');
  assert.ok(transport?.imports.some((one) => one.specifier === 'node:stream' && one.typeOnly));
});

test('every relative import names a file', () => {
  const missing = broken((from, to, one) => target(from, one.specifier) !== undefined && !existsSync(join(SRC, to)));
  assert.deepEqual(missing, []);
});

test('the engine knows no transport and no command line', () => {
  const shared = [
    'transport.ts',
    'errors.ts',
    'names.ts',
    'glob.ts',
    'streams/digest.ts',
    'files/own-directory.ts',
    'draft-name.ts',
    'option-rules.ts',
    'other-kind.ts',
    'concurrency/at-once.ts',
    'streams/buffer-pool.ts',
    'streams/token-bucket.ts',
    'concurrency/longest-timer.ts',
    'concurrency/on-abort.ts',
    'package/own-files.ts',
  ];
  const bad = broken(
    ({ path }, to) =>
      path.startsWith('copy/') && !within('copy')(to) && !shared.includes(to) && !to.startsWith('node:'),
  );
  assert.deepEqual(bad, []);
});

test('the contract imports types only', () => {
  assert.deepEqual(
    broken(({ path }, _to, one) => path === 'transport.ts' && !one.typeOnly),
    [],
  );
});

test('no transport imports another or the command line; a listener alone uses the engine', () => {
  const bad = broken((from, to) => {
    const own = transportOf(from.path);
    if (own === undefined) return false;
    const listens = from.path.includes('/listen/');
    if (within('copy')(to)) return !listens;
    return within('cli', 'registry.ts', 'index.ts')(to) || (transportOf(to) ?? own) !== own;
  });
  assert.deepEqual(bad, []);
});

test('only the command line imports the command line', () => {
  assert.deepEqual(
    broken((from, to) => !within('cli')(from.path) && within('cli')(to)),
    [],
  );
});

test('transports are imported lazily by the registry', () => {
  const eager = broken(
    (from, to, one) => from.path === 'registry.ts' && transportOf(to) !== undefined && !one.lazy && !one.typeOnly,
  );
  assert.deepEqual(eager, []);
});

const PACKAGE_HOMES: Record<string, readonly string[]> = {
  bcryptjs: ['listening/bcrypt-worker.ts'],
  yargs: ['cli'],
  'yargs-parser': ['cli'],
  progress: ['cli'],
  uqr: ['cli'],
  open: ['cli'],
  'get-east-asian-width': ['cli'],
  'multicast-dns': ['mdns'],
  ssh2: ['transports/ssh'],
  'markdown-it': ['transports/http'],
  'serve-handler': ['transports/http'],
  execa: ['transports/ssh', 'transports/http', 'cli'],
};

test('a package is used only where it belongs, and no other package is', () => {
  const bad = broken((from, to, one) => {
    if (target(from, one.specifier) !== undefined || to.startsWith('node:')) return false;
    const name = to.split('/', to.startsWith('@') ? 2 : 1).join('/');
    return !within(...(PACKAGE_HOMES[name] ?? []))(from.path);
  });
  assert.deepEqual(bad, []);
});

test('files of the person are touched only where that is somebody’s task', () => {
  // The kernel's own tables are nobody's file, nor are the socket that a listener makes, what xfer says of itself, the page's
  // script and style, and what is noted of uploads at either end.
  const homes = within(
    'transports/local',
    'transports/ssh',
    'cli',
    'copy/claim.ts',
    'copy/journal.ts',
    'copy/run-record.ts',
    'files/named-file.ts',
    'files/own-directory.ts',
    'files/private-file.ts',
    'transports/tcp/unsent.ts',
    'transports/http/listen/status/process-families.ts',
    'transports/http/listen/listing/page/assets.ts',
    'transports/http/listen/upload/records.ts',
    'transports/http/put/upload-notes.ts',
    'files/socket-file.ts',
    'version.ts',
  );
  const bad = broken((from, to) => /^node:fs(\/promises)?$/.test(to) && !homes(from.path));
  assert.deepEqual(bad, []);
});

test('one place ends the process', () => {
  // Signal 0 only asks whether a process is there, and a negative number is a group of others.
  const ends = /\bprocess\s*\.\s*(exit\s*\(|exitCode|abort\s*\(|reallyExit|kill\s*\((?!-|[^)]*,\s*0\s*\)))/;
  assert.deepEqual(users(ends, within('cli/main.ts')), []);
});

test('one place listens to signals', () => {
  assert.deepEqual(users(/\bprocess\s*\.\s*(on|once|addListener)\s*\(/, within('cli')), []);
});

test('nobody writes to the console', () => {
  assert.deepEqual(users(/\bconsole\s*\.\s*\w/, within('cli/main.ts')), []);
});

test('the standard streams belong to the command line and to the stdio transport', () => {
  const homes = within('cli', 'transports/local/stdio.ts');
  assert.deepEqual(users(/\bprocess\s*\.\s*(stdout|stderr|stdin)\b/, homes), []);
});

test('no value import leads back to where it started', () => {
  const edges = new Map(
    modules.map((from) => [
      from.path,
      from.imports
        .filter((one) => !one.typeOnly && !one.lazy)
        .map((one) => target(from, one.specifier))
        .filter((to) => to !== undefined),
    ]),
  );
  assert.deepEqual(findCycle(edges), undefined);
});

test('a cycle would be found', () => {
  const edges = new Map([
    ['a', ['b']],
    ['b', ['c']],
    ['c', ['b']],
  ]);
  assert.deepEqual(findCycle(edges), ['b', 'c', 'b']);
});

/** The first cycle, as the way around it. */
function findCycle(edges: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (path: string, above: readonly string[]): string[] | undefined => {
    const seen = above.indexOf(path);
    if (seen >= 0) return [...above.slice(seen), path];
    if (done.has(path)) return undefined;
    for (const next of edges.get(path) ?? []) {
      const cycle = visit(next, [...above, path]);
      if (cycle) return cycle;
    }
    done.add(path);
    return undefined;
  };
  for (const path of edges.keys()) {
    const cycle = visit(path, []);
    if (cycle) return cycle;
  }
  return undefined;
}

test('a file can be read in one go', () => {
  const long = modules
    .map(({ path, text }) => `${path}: ${text.split('\n').length - 1} lines`)
    .filter((line) => Number(/(\d+) lines$/.exec(line)?.[1]) > MOST_LINES);
  assert.deepEqual(long, []);
});

test('names say what a thing is', () => {
  const vague = /(^|[/-])(remote|handler|manager|helper|helpers|util|utils|data|info)(-|\.ts|\/)/;
  assert.deepEqual(
    modules.map(({ path }) => path).filter((path) => vague.test(path) || /[A-Z_]/.test(path)),
    [],
  );
});

test('no rule of the compiler or the linter is switched off', () => {
  const off = new RegExp(['@ts-(ignore|expect-error|nocheck)', 'biome-ignore', String.raw`\b(TODO|FIXME)\b`].join('|'));
  assert.deepEqual(
    modules.filter(({ text }) => off.test(text)).map(({ path }) => path),
    [],
  );
});
