/** What Prometheus' own clients tell of their process, under the names that they share. */
import { readdirSync } from 'node:fs';
import { readVersion } from '../../../../version.js';
import type { Family } from './exposition.js';

/** Unix time at which this process started, in seconds. */
const startTimeSeconds = performance.timeOrigin / 1000;

export function processFamilies(): Family[] {
  const { user, system } = process.cpuUsage();
  const openDescriptors = countOpenDescriptors();
  return [
    {
      name: 'xfer_build_info',
      type: 'gauge',
      help: 'The version of xfer, and of the Node.js that runs it.',
      samples: [{ labels: { version: readVersion(), node: process.versions.node }, value: 1 }],
    },
    {
      name: 'process_cpu_seconds_total',
      type: 'counter',
      help: 'Total user and system CPU time spent in seconds.',
      samples: [{ value: (user + system) / 1e6 }],
    },
    {
      name: 'process_resident_memory_bytes',
      type: 'gauge',
      help: 'Resident memory size in bytes.',
      samples: [{ value: process.memoryUsage.rss() }],
    },
    {
      name: 'process_start_time_seconds',
      type: 'gauge',
      help: 'Start time of the process since unix epoch in seconds.',
      samples: [{ value: startTimeSeconds }],
    },
    {
      name: 'process_open_fds',
      type: 'gauge',
      help: 'Number of open file descriptors.',
      samples: openDescriptors === undefined ? [] : [{ value: openDescriptors }],
    },
  ];
}

/** Undefined where the system has no table of them to look at. */
function countOpenDescriptors(): number | undefined {
  try {
    // Without the one that reads the table.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return undefined;
  }
}
