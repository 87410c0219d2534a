/** What a child and all below it cost, as the Linux kernel counts it. Elsewhere the numbers are undefined. */
import { readFileSync, writeFileSync } from 'node:fs';

/** The kernel's ticks a second; 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, 'latin1');
  } catch {
    return undefined;
  }
}

/** Fields of proc(5) `stat` from `state` on: the name before them may hold spaces. */
function statFields(pid: number | 'self'): number[] | undefined {
  const text = readProc(`${pid}/stat`);
  return text
    ?.slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
}

const sumOf = (fields: number[] | undefined, ...at: number[]) =>
  fields && at.reduce((sum, index) => sum + (fields[index] ?? 0), 0) / TICKS_PER_SECOND;

/** CPU seconds of a running process, without its children. */
export function cpuSecondsOf(pid: number): number | undefined {
  return sumOf(statFields(pid), 11, 12);
}

/** CPU seconds of every child of this process that has ended, and of those that it waited for in turn. */
export function cpuSecondsOfEndedChildren(): number | undefined {
  return sumOf(statFields('self'), 13, 14);
}

/** A process and all below it. */
export function processTree(pid: number): number[] {
  const children = (readProc(`${pid}/task/${pid}/children`) ?? '').split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(processTree)];
}

/** A line of proc(5) `status` that counts kB, in MiB. */
function statusMiB(pid: number, name: string): number | undefined {
  const kib = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readProc(`${pid}/status`) ?? '')?.[1];
  return kib === undefined ? undefined : Number(kib) / 1024;
}

/** Memory that a process holds, in MiB. */
export function memoryMiBOf(pid: number): number | undefined {
  return statusMiB(pid, 'VmRSS');
}

/** Largest memory that a process has held, in MiB. */
export function peakMemoryMiBOf(pid: number): number | undefined {
  return statusMiB(pid, 'VmHWM');
}

/** Has the system count a process's largest memory from now on (proc(5), `clear_refs`), where it can. */
function forgetPeakMemory(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // It has ended, or the system keeps no such count.
  }
}

export interface MemoryWatch {
  /** Sum of the peaks of every process seen, in MiB; undefined where the system does not say. */
  stop(): number | undefined;
}

/**
 * Watches the peaks of some processes and all below them until stopped. `pids` may end, and are looked at all the time;
 * `servers` do not, and are only looked at when it is stopped, so that they are left alone.
 */
export function watchMemory(pids: readonly number[], servers: readonly number[] = []): MemoryWatch {
  const peaks = new Map<number, number>();
  const lookAt = (watched: readonly number[]) => {
    for (const pid of watched.flatMap(processTree)) {
      const peak = peakMemoryMiBOf(pid);
      if (peak !== undefined) peaks.set(pid, Math.max(peak, peaks.get(pid) ?? 0));
    }
  };
  for (const pid of servers.flatMap(processTree)) forgetPeakMemory(pid);
  const look = () => lookAt(pids);
  look();
  const timer = setInterval(look, 15);
  return {
    stop() {
      clearInterval(timer);
      lookAt([...pids, ...servers]);
      return peaks.size === 0 ? undefined : [...peaks.values()].reduce((sum, peak) => sum + peak, 0);
    },
  };
}
