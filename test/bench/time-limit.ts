/** How long a run may take, by what it copies and over what line. */
import type { LineOptions } from './delay-line.js';
import type { Row } from './measure.js';

const NEAR_MIB_PER_SECOND = 50;
const SECONDS_A_FILE = 0.002;
const ROUND_TRIPS_TO_START = 20;
/** What scp takes for a file, and a program that keeps half a window of 2 MiB full takes for a MiB. */
const ROUND_TRIPS_A_FILE = 5;
const ROUND_TRIPS_A_MIB = 1;

/** Files beyond which scp, which does one after the other, would take minutes. */
export function mostFilesForScp(line: LineOptions | undefined): number {
  return line ? 200 : 10_000;
}

/** Files beyond which a client of HTTP that does one after the other, each in a round trip, would take minutes. */
export function mostFilesInTurn(line: LineOptions | undefined): number {
  return line ? 2000 : 10_000;
}

/** Seconds that a slow program on a slow machine takes for one run of a row. */
function slowSeconds({ bytes, files, line }: Row): number {
  const roundTrip = (line?.rttMs ?? 0) / 1000;
  const lineMiBPerSecond = ((line?.megabitsPerSecond ?? Number.POSITIVE_INFINITY) * 1e6) / 8 / 2 ** 20;
  const secondsAMiB = Math.max(1 / NEAR_MIB_PER_SECOND, 2 / lineMiBPerSecond, ROUND_TRIPS_A_MIB * roundTrip);
  const alone = Math.min(files, mostFilesForScp(line)) * ROUND_TRIPS_A_FILE * roundTrip;
  return 1 + ROUND_TRIPS_TO_START * roundTrip + (bytes / 2 ** 20) * secondsAMiB + files * SECONDS_A_FILE + alone;
}

/** After which a single run is ended as one that hangs. */
export function runTimeoutMs(row: Row): number {
  return 1000 * Math.max(60, 4 * slowSeconds(row));
}

/** After which no further row is begun: what slow programs would need for all of them, and a minute to prepare. */
export function timeLimitMs(rows: readonly Row[], runs: number): number {
  const seconds = rows.map((row) => row.contestants.length * (1 + runs) * slowSeconds(row));
  return 1000 * seconds.reduce((sum, each) => sum + each, 60);
}
