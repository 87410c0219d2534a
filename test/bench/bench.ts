/** `npm run bench`: xfer beside the programs that people use now, on the same files and disk, taking turns. */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Ground } from './ground.js';
import { startHttpRows } from './http-rows.js';
import { type MeasureOptions, measureRow, type Row } from './measure.js';
import { startSshRows } from './ssh-rows.js';
import { formatRow } from './table.js';
import { tcpRows } from './tcp-rows.js';

const USAGE = `npm run bench -- [options]
  --size MiB     size of the big file (256)
  --files N      files of 2 KiB in the tree (2000; 200 with --rtt)
  --rtt ms       copy the tree over a line with this round trip as well
  --runs N       counted runs of each program, after one warm-up (3)
  --only list    some of ssh,http,tcp
`;

/** Counted from the start; a row that is under way is ended, and no further one begun. */
const TIME_LIMIT_MS = 240_000;
const AREAS = ['ssh', 'http', 'tcp'];

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A whole number of at least 1, or `fallback` where the option is absent. */
function count(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new TypeError(`${text} is not a whole number above 0`);
  return number;
}

function readOptions() {
  const string = { type: 'string' } as const;
  const options = { size: string, files: string, rtt: string, runs: string, only: string };
  const { values } = parseArgs({ options: { ...options, help: { type: 'boolean' } } });
  const only = values.only?.split(',') ?? AREAS;
  const wrong = only.find((area) => !AREAS.includes(area));
  if (wrong !== undefined) throw new TypeError(`${wrong} is none of ${AREAS.join(', ')}`);
  return {
    help: values.help ?? false,
    only,
    sizeMiB: count(values.size, 256),
    rttMs: values.rtt === undefined ? undefined : count(values.rtt, 1),
    files: count(values.files, values.rtt === undefined ? 2000 : 200),
    runs: count(values.runs, 3),
  };
}

async function measureRows(rows: readonly Row[], options: MeasureOptions): Promise<void> {
  for (const row of rows) {
    if (performance.now() > options.deadlineMs) print(`### ${row.title}: left out, the time is up\n`);
    else print(formatRow(row, await measureRow(row, options)));
  }
}

async function main(): Promise<void> {
  const { help, only, rttMs, runs, ...size } = readOptions();
  if (help) {
    print(USAGE.trimEnd());
    return;
  }
  const ground = new Ground(size);
  const options = { runs, deadlineMs: TIME_LIMIT_MS };
  print(`Node ${process.version}, ${process.platform}, ${cpus().length} processors, files in ${ground.folder}`);
  print('Each program has a warm-up that is checked and not counted; then they take turns.');
  print('speed: against the first program that is not xfer; peak: sum of the processes of a run.\n');
  try {
    if (only.includes('tcp')) await measureRows(tcpRows(ground), options);
    if (only.includes('http')) {
      const http = await startHttpRows(ground);
      await measureRows(http.rows, { ...options, serversOf: http.serversOf }).finally(http.stop);
    }
    if (only.includes('ssh')) {
      const ssh = await startSshRows(ground, rttMs);
      await measureRows(ssh.rows, options).finally(ssh.stop);
    }
  } finally {
    ground.remove();
  }
}

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`bench: ${message}\n${error instanceof TypeError ? `\n${USAGE}` : ''}`);
  process.exitCode = 1;
});
