/** What a file server is asked for: one big file, many small ones, long listings, an archive, and all that in a crowd. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Ground } from './ground.js';
import { type FileServer, FOLDERS } from './http-servers.js';
import type { Contestant, Row } from './measure.js';

const REQUESTS = 20_000;
const CONNECTIONS = 32;
const LISTINGS = 20;
const SLOW_CLIENTS = 1000;
const CURL = ['-sS', '-f', '--noproxy', '*'];

type Run = (server: FileServer) => Contestant['run'];

function row(title: string, servers: readonly FileServer[], run: Run, bytes = 0): Row {
  const contestants = servers.map((server) => ({
    label: server.label,
    run: run(server),
    check: () => checkAnswers(server),
  }));
  return { title: `http: ${title}`, bytes, files: 1, line: undefined, note: undefined, contestants };
}

async function checkAnswers({ url, label }: FileServer): Promise<void> {
  const answer = await fetch(`${url}small`);
  if ((await answer.text()) !== 'x'.repeat(4096)) throw new Error(`${label} serves wrongly`);
}

export function serveRows(ground: Ground, servers: readonly FileServer[]): Row[] {
  const [curl, wrk] = [ground.peer('curl'), ground.peer('wrk')];
  const { title, bytes } = ground.big;
  const rows: Row[] = [];
  if (curl) {
    const fetched =
      (path: string) =>
      (server: FileServer): Contestant['run'] =>
      (meter) =>
        meter.run(curl, [...CURL, '-o', '/dev/null', `${server.url}${path}`]);
    rows.push(row(`${title} by one client`, servers, fetched('big'), bytes));
    const own = servers.filter(({ label }) => label.startsWith('xfer'));
    rows.push(row(`a folder of ${title} as a zip`, own, fetched('album/?archive=zip'), bytes));
    const listed =
      ({ url }: FileServer): Contestant['run'] =>
      (meter) =>
        meter.run(curl, [...CURL, '-o', '/dev/null', `${url}five-thousand/?[1-${LISTINGS}]`]);
    rows.push(row(`a listing of ${FOLDERS['five-thousand']} entries, ${LISTINGS} times`, servers, listed));
  }
  if (wrk) {
    rows.push(row(`${REQUESTS} files of 4 KiB, ${CONNECTIONS} connections (wrk)`, servers, requests(wrk)));
  }
  rows.push(
    row(`first byte of a listing of ${FOLDERS['hundred-thousand']} entries`, servers, firstByteOf('hundred-thousand/')),
  );
  rows.push(row(`first byte while ${SLOW_CLIENTS} slow clients wait`, servers, inCrowd));
  return rows;
}

/** By the rate of two seconds. */
function requests(wrk: string): Run {
  return ({ url }) =>
    async (meter) => {
      const child = meter.start(wrk, ['-t1', `-c${CONNECTIONS}`, '-d2', `${url}small`], { load: true });
      const [, rate] = await child.printed(/Requests\/sec:\s+([0-9.]+)/);
      await child.done;
      return REQUESTS / Number(rate);
    };
}

function firstByteOf(path: string): Run {
  return ({ url }) =>
    () =>
      firstByteSeconds(url, path);
}

async function firstByteSeconds(url: string, path: string): Promise<number> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const startMs = performance.now();
  socket.write(`GET /${path} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`);
  await once(socket, 'data');
  socket.destroy();
  return (performance.now() - startMs) / 1000;
}

/** A client that reads nothing of the big file. */
async function slowClient(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.pause();
  socket.write(`GET /big HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
  return socket;
}

const inCrowd: Run =
  ({ url }) =>
  async () => {
    const clients = await Promise.all(Array.from({ length: SLOW_CLIENTS }, () => slowClient(url)));
    try {
      // Until what each may hold is held.
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return await firstByteSeconds(url, 'small');
    } finally {
      for (const client of clients) client.destroy();
    }
  };
