/** What is said of bytes that went over plain TCP, which has no end mark and no digest: the two ends compare it. */
import type { Passed, TcpOptions } from '../../transports/tcp/options.js';
import type { PipeResult } from '../../transports/tcp/pipe.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import { formatBytes } from '../render/format.js';
import type { Report } from '../render/report.js';

/** Whether somebody reads it. Where nobody does no digest is computed. */
export function isPassedTold(parsed: ParsedArguments): boolean {
  return parsed.flag('json') || !parsed.flag('quiet');
}

/** `received 1257 bytes, sha256 …, unverified: plain TCP`. */
export function passedLine(what: 'sent' | 'received', passed: Passed, options: TcpOptions): string {
  const { bytes, sha256 } = passed;
  const digest =
    sha256 === undefined ? 'no sha256, since computing it would have slowed this down' : `sha256 ${sha256}`;
  return `${what} ${bytes} ${bytes === 1 ? 'byte' : 'bytes'}, ${digest}, ${verdict(options)}`;
}

function verdict({ expectedBytes, expectedSha256 }: TcpOptions): string {
  if (expectedSha256 !== undefined) return 'as expected';
  return expectedBytes !== undefined ? 'of the expected length' : 'unverified: plain TCP';
}

/** The same for JSON. */
export function passedRecord(what: 'sent' | 'received', passed: Passed, options: TcpOptions): object {
  const { expectedBytes, expectedSha256 } = options;
  const verified = expectedSha256 !== undefined ? 'sha256' : expectedBytes !== undefined ? 'size' : 'none';
  return { type: what, ...passed, verified };
}

/** Options that remember what passed, and a way to say it at the end. */
export function withPassed(what: 'sent' | 'received', options: TcpOptions, parsed: ParsedArguments) {
  let passed: Passed | undefined;
  const onPassed = (all: Passed) => {
    passed = all;
  };
  return {
    transportOptions: isPassedTold(parsed) ? { ...options, onPassed } : options,
    closing: (report: Report) => {
      if (passed) report.tell(passedLine(what, passed, options), passedRecord(what, passed, options));
    },
  };
}

/** What a pipe says at its end. */
export function tellPiped({ sentBytes, receivedBytes }: PipeResult, report: Report): void {
  const line = `${formatBytes(sentBytes)} sent, ${formatBytes(receivedBytes)} received`;
  report.tell(line, { type: 'done', sentBytes, receivedBytes });
}
