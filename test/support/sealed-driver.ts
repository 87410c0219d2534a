/**
 * One end of a sealed transfer as a program of its own, to be killed: `sealed-driver.js receive|send listen|call port path
 * state [limit]`. Says `port N` once it listens; ends with 0 once all is done.
 */
import { basename } from 'node:path';
import { copy } from '#xfer/copy/index.js';
import { retry } from '#xfer/copy/retry.js';
import { RunRecord } from '#xfer/copy/run-record.js';
import { openLocalSink, openLocalSource } from '#xfer/transports/local/index.js';
import { receiveFromCallers } from '#xfer/transports/tcp/sealed/listen/receiver.js';
import { answerReceivers } from '#xfer/transports/tcp/sealed/listen/sender.js';
import { receiveByCalling } from '#xfer/transports/tcp/sealed/receive/caller.js';
import type { ReceiveEvents } from '#xfer/transports/tcp/sealed/receive/session.js';
import { callingOpener } from '#xfer/transports/tcp/sealed/send/caller.js';
import type { LaneOpener } from '#xfer/transports/tcp/sealed/send/connections.js';
import { openSealedSink } from '#xfer/transports/tcp/sealed/send/sink.js';
import { offering } from './sealed.js';

const [role, mode, portText, path, state, limit] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string?,
];
const HOST = '127.0.0.1';
const address = { host: HOST, port: Number(portText) };
const scope = { signal: new AbortController().signal };
const PATIENT = { attempts: 100, firstDelayMs: 50, maxDelayMs: 300 };
const options = {
  key: Buffer.from(process.env.XFER_TEST_KEY ?? '', 'hex'),
  onListening: ({ port }: { port: number }) => console.log(`port ${port}`),
  onNotice: (line: string) => console.error(line),
};

async function receive(): Promise<void> {
  const sink = await openLocalSink(path);
  const record = await RunRecord.open(state, [], sink);
  const events: ReceiveEvents = {
    onOffer: async () => true,
    onStart: (name) => record.noteFile(name),
    onFile: (name) => record.noteFile(name),
    onFailed: () => record.noteFailure(),
  };
  const common = { ...options, policy: {}, identity: 'driver' };
  if (mode === 'listen') {
    await receiveFromCallers([address], 'driver', sink, { ...common, eventsFor: () => events }, scope);
  } else {
    const again = (attempt: () => Promise<void>) =>
      retry(attempt, { policy: PATIENT, signal: scope.signal, what: 'receive', onRetry: () => {} });
    await receiveByCalling([address], 'driver', sink, { ...common, events, again }, scope);
  }
  await record.sweep(sink, scope);
  await record.close();
}

async function send(opener: LaneOpener): Promise<void> {
  const source = await openLocalSource(path);
  const offer = offering(basename(path));
  const opening = () => openSealedSink(opener, offer, { connections: 3 }, scope);
  const sink = await retry(opening, { policy: PATIENT, signal: scope.signal, what: 'send', onRetry: () => {} });
  const result = await copy([source], sink, {
    recursive: true,
    preserve: true,
    intoDirectory: true,
    verify: 'sha256',
    blockBytes: 1 << 20,
    journalDirectory: state,
    retry: PATIENT,
    ...(limit === undefined ? {} : { limitBytesPerSecond: Number(limit) }),
  });
  for (const { error } of result.failures) console.error(error.message);
  await sink.conclude({ files: result.files, bytes: result.bytes, failures: result.failures.length }, scope);
  await sink.close();
  process.exitCode = result.failures.length > 0 || result.verified !== 'sha256' ? 9 : 0;
}

async function sendToCaller(): Promise<void> {
  let sent: Promise<void> | undefined;
  const ended = new Promise<void>((resolve, reject) => {
    void answerReceivers(address, 'driver', options, 1, (opener) => {
      sent ??= send(opener);
      sent.then(resolve, reject);
      return sent.catch(() => {});
    }).then((answered) => ended.finally(() => answered.close()).catch(() => {}));
  });
  await ended;
}

if (role === 'receive') await receive();
else if (mode === 'listen') await sendToCaller();
else await send(callingOpener([address], 'driver', options));
