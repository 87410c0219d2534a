/** What `xfer serve` says while it serves: lines that stay, and one that does not. */
import type { Listener } from '../../transport.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import { canRedraw } from '../render/fresh-line.js';
import type { Report } from '../render/report.js';
import { createStillView } from '../render/view.js';
import { openReport } from '../run-copy.js';
import type { Surroundings } from '../surroundings.js';
import { LiveLine } from './live-line.js';

export interface Screen {
  readonly report: Report;
  /** A line on standard output. */
  readonly log: (line: string) => void;
  /** Shows what is under way, on a terminal. */
  watch(listener: Listener): void;
  end(): void;
}

export async function openScreen(parsed: ParsedArguments, around: Surroundings): Promise<Screen> {
  const { stdout, stderr, env } = around;
  const shows = canRedraw(stderr, env) && !parsed.flag('quiet') && !parsed.flag('json');
  const live = shows ? new LiveLine(stderr) : undefined;
  const report = await openReport(parsed, around, live ?? createStillView(stderr));
  return {
    report,
    log: (line) => (live ? live.line(line, stdout) : void stdout.write(`${line}\n`)),
    watch: (listener) => live?.watch(() => listener.transfers?.() ?? []),
    end: () => live?.end(),
  };
}
