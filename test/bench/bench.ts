/** `npm run bench`: xfer beside the programs that people use now, on the same files and disk, taking turns. */
import { cpus } from 'node:os';
import { Ground } from './ground.js';
import { startGetRows } from './http-get-rows.js';
import { startPutRows } from './http-put-rows.js';
import { startHttpRows } from './http-rows.js';
import { type Area, type MeasureOptions, measureRow } from './measure.js';
import { type BenchOptions, readOptions, USAGE } from './options.js';
import { startSealedRows } from './sealed-rows.js';
import { startSshRows } from './ssh-rows.js';
import { formatRow } from './table.js';
import { tcpRows } from './tcp-rows.js';
import { timeLimitMs } from './time-limit.js';

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function measureArea(area: Area, options: MeasureOptions): Promise<void> {
  for (const row of area.rows) {
    if (performance.now() > options.deadlineMs) print(`### ${row.title}: left out, the time is up\n`);
    else
      print(
        formatRow(row, await measureRow(row, area.serversOf ? { ...options, serversOf: area.serversOf } : options)),
      );
  }
}

/** Starts what the rows need; each is in `started` as soon as it must be stopped. */
async function startAreas(ground: Ground, { areas, line }: BenchOptions, started: Area[]): Promise<void> {
  if (areas.includes('tcp')) started.push({ rows: tcpRows(ground), stop: async () => {} });
  if (areas.some((area) => area.startsWith('sealed'))) started.push(await startSealedRows(ground, areas, line));
  if (areas.includes('http-serve')) started.push(await startHttpRows(ground));
  if (areas.includes('http-get')) started.push(await startGetRows(ground, line));
  if (areas.includes('http-put')) started.push(await startPutRows(ground, line));
  if (areas.some((area) => area.startsWith('ssh'))) started.push(await startSshRows(ground, areas, line));
}

function printHead(ground: Ground, limitMs: number): void {
  print(`Node ${process.version}, ${process.platform}, ${cpus().length} processors, files in ${ground.folder}`);
  print('Each program has a warm-up that is checked and not counted; then they take turns.');
  print('speed: against the first program that is not xfer; to best: against the fastest of those.');
  print('peak: sum of the processes of a run, without those of an ssh server.');
  print(
    `Time limit: ${Math.ceil(limitMs / 60_000)} minutes; a row that is under way is ended, and no further one begun.\n`,
  );
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options.help) {
    print(USAGE.trimEnd());
    return;
  }
  const ground = new Ground(options.ground);
  const started: Area[] = [];
  const stop = async () => {
    for (const area of started.splice(0)) await area.stop();
    ground.remove();
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void stop().finally(() => process.exit(1)));
  try {
    await startAreas(ground, options, started);
    const limitMs = timeLimitMs(
      started.flatMap((area) => area.rows),
      options.runs,
    );
    printHead(ground, limitMs);
    const deadlineMs = performance.now() + limitMs;
    for (const area of started) await measureArea(area, { runs: options.runs, deadlineMs });
  } finally {
    await stop();
  }
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`bench: ${message}\n${error instanceof TypeError ? `\n${USAGE}` : ''}`);
  process.exitCode = 1;
});
