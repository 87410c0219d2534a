// Runs every compiled test, or those whose path contains one of the arguments, by Node's own runner.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

const build = join(import.meta.dirname, '..', 'build');
const wanted = process.argv.slice(2);
const files = readdirSync(build, { recursive: true })
  .filter((file) => file.endsWith('.test.js') && (wanted.length === 0 || wanted.some((part) => file.includes(part))))
  .map((file) => join(build, file))
  .sort();
if (files.length === 0) {
  console.error(`no test matches ${wanted.join(' ')}`);
  process.exit(1);
}
const concurrency = Math.max(2, availableParallelism());
const runner = spawn(process.execPath, ['--test', `--test-concurrency=${concurrency}`, ...files], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => runner.kill(signal));
runner.on('close', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
