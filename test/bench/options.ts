/** What can be asked of the bench. */
import { parseArgs } from 'node:util';
import type { LineOptions } from './delay-line.js';
import type { GroundOptions } from './ground.js';

export const USAGE = `npm run bench -- [options]
  --only list    some of tcp, sealed-big, sealed-small, http-serve, http-get, http-put, ssh-big, ssh-small,
                 ssh-login, ssh-sparse; sealed, http and ssh are all that begin so
  --size MiB     size of the big file (256)
  --files N      small files in the tree (2000)
  --file-size B  size of each of them (2048)
  --sparse GiB   copy a file of holes of this size over ssh as well
  --rtt ms       ssh, sealed, http-get and http-put, over a line with this round trip
  --rate Mbit/s  the same over a line that carries this much each way, all its connections together
  --window MiB   what such a line holds each way of one connection (64)
  --runs N       counted runs of each program, after one warm-up (5)
`;

const AREAS = [
  'tcp',
  'sealed-big',
  'sealed-small',
  'http-serve',
  'http-get',
  'http-put',
  'ssh-big',
  'ssh-small',
  'ssh-login',
  'ssh-sparse',
] as const;

export type AreaName = (typeof AREAS)[number];

export interface BenchOptions {
  readonly help: boolean;
  readonly areas: readonly AreaName[];
  readonly ground: GroundOptions;
  /** Absent: straight over loopback. */
  readonly line: LineOptions | undefined;
  readonly runs: number;
}

/** A whole number of at least 1, or `fallback` where the option is absent. */
function count<Fallback>(text: string | undefined, fallback: Fallback): number | Fallback {
  if (text === undefined) return fallback;
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new TypeError(`${text} is not a whole number above 0`);
  return number;
}

function chosenAreas(only: string | undefined, sparse: boolean): AreaName[] {
  const possible = AREAS.filter((area) => sparse || area !== 'ssh-sparse');
  if (only === undefined) return possible;
  const names = only.split(',');
  const covers = (name: string, area: string) => area === name || area.startsWith(`${name}-`);
  const wrong = names.find((name) => !AREAS.some((area) => covers(name, area)));
  if (wrong !== undefined) throw new TypeError(`${wrong} is none of sealed, http, ssh, ${AREAS.join(', ')}`);
  const chosen = possible.filter((area) => names.some((name) => covers(name, area)));
  if (chosen.length === 0) throw new TypeError('ssh-sparse needs a size: --sparse GiB');
  return chosen;
}

function lineOf(values: { rtt?: string; rate?: string; window?: string }): LineOptions | undefined {
  const rttMs = count(values.rtt, undefined);
  const megabitsPerSecond = count(values.rate, undefined);
  const windowMiB = count(values.window, 64);
  if (rttMs !== undefined || megabitsPerSecond !== undefined)
    return { rttMs: rttMs ?? 0, megabitsPerSecond, windowMiB };
  if (values.window !== undefined) throw new TypeError('--window needs a line: --rtt ms or --rate Mbit/s');
  return undefined;
}

/** Reads the command line. A TypeError says what is wrong with it. */
export function readOptions(): BenchOptions {
  const string = { type: 'string' } as const;
  const ground = { size: string, files: string, 'file-size': string, sparse: string };
  const line = { rtt: string, rate: string, window: string };
  const { values } = parseArgs({
    options: { only: string, ...ground, ...line, runs: string, help: { type: 'boolean' } },
  });
  return {
    help: values.help ?? false,
    areas: chosenAreas(values.only, values.sparse !== undefined),
    ground: {
      bigMiB: count(values.size, 256),
      files: count(values.files, 2000),
      fileBytes: count(values['file-size'], 2048),
      sparseGiB: count(values.sparse, 0),
    },
    line: lineOf(values),
    runs: count(values.runs, 5),
  };
}
