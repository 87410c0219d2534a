// Runs every compiled test, or those whose path contains one of the arguments, by Node's own runner. What failed is said
// again at the end. In CI, whose machine may be too busy for a test about time, a file that failed runs once more, alone;
// that it had to is said, and a file that fails again fails the run.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const build = join(import.meta.dirname, '..', 'build');
const reporter = join(import.meta.dirname, 'failed-tests.mjs');
/** More than this is no accident. */
const MOST_AGAIN = 5;

const wanted = process.argv.slice(2);
const files = readdirSync(build, { recursive: true })
  .filter((file) => file.endsWith('.test.js') && (wanted.length === 0 || wanted.some((part) => file.includes(part))))
  .map((file) => join(build, file))
  .sort();
if (files.length === 0) {
  console.error(`no test matches ${wanted.join(' ')}`);
  process.exit(1);
}
const directory = mkdtempSync(join(tmpdir(), 'xfer-tests-'));
let code = 1;
try {
  code = await runAll();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
process.exit(code);

async function runAll() {
  const first = await run(files, Math.max(2, availableParallelism()));
  const failed = [...new Set(first.failures.map(({ file }) => file))];
  if (first.code === 0 || failed.length === 0) return first.code;
  tell('failed', first.failures);
  const known = failed.every((file) => files.includes(file));
  if (!process.env.CI || !known || failed.length > MOST_AGAIN || first.interrupted) return first.code;
  const second = await run(failed, 1);
  tell(
    second.code === 0 ? 'failed, and passed alone' : 'failed again',
    second.code === 0 ? first.failures : second.failures,
  );
  return second.code;
}

/** Runs test files, and resolves with the exit code and what failed. */
function run(paths, concurrency) {
  const list = join(directory, 'failed');
  const reporters = [
    `--test-reporter=${process.stdout.isTTY ? 'spec' : 'tap'}`,
    '--test-reporter-destination=stdout',
    `--test-reporter=${reporter}`,
    `--test-reporter-destination=${list}`,
  ];
  const runner = spawn(process.execPath, ['--test', `--test-concurrency=${concurrency}`, ...reporters, ...paths], {
    stdio: 'inherit',
  });
  let interrupted = false;
  const stop = (signal) => {
    interrupted = true;
    runner.kill(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop);
  return new Promise((resolve) => {
    runner.on('close', (exit, signal) => {
      for (const each of ['SIGINT', 'SIGTERM']) process.off(each, stop);
      resolve({ code: signal ? 1 : (exit ?? 1), failures: readFailures(list), interrupted });
    });
  });
}

function readFailures(list) {
  try {
    return readFileSync(list, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  } catch {
    return [];
  }
}

function tell(what, failures) {
  console.error(`\n${what}:`);
  for (const { file, name, message } of failures) {
    console.error(`  ${relative(build, file)}: ${name}\n    ${String(message).split('\n', 1)[0]}`);
  }
}
