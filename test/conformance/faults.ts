/** Chapter: a line that fails. What came is right, the rest is an error that may be tried again, and an abort still works. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import type { Source } from '#xfer/transport.js';
import { patternBytes } from '../support/fixtures.js';
import { chapter, type Fault, freeScope, type SourceRig, TEST } from './rig.js';

const SIZE = 3_000_000;
/** Past every greeting and header, and far from the end. */
const FAULT_AT = 1_200_000;

export function faultsChapter(rig: SourceRig): void {
  const { openFaulty, supports } = rig;
  if (!openFaulty) return;
  const read = (fault: Fault) => readOver(openFaulty, fault);
  chapter('faults of a source', () => {
    test('a line that is cut is an error that may be tried again', TEST, () =>
      isRetryable(read({ cutAfterBytes: FAULT_AT })),
    );
    test('a line that is reset is one too', TEST, () => isRetryable(read({ resetAfterBytes: FAULT_AT })));
    test('an abort ends a line on which nothing moves', TEST, () => stalls(openFaulty));
    if (!supports.detectsCorruption) return;
    test('a byte that was turned over never reaches the reader', TEST, async () => {
      const { error } = await read({ flipByteAt: FAULT_AT });
      assert.ok(error instanceof XferError, String(error));
    });
  });
}

type OpenFaulty = NonNullable<SourceRig['openFaulty']>;

interface Outcome {
  readonly got: number;
  readonly error: unknown;
}

/** Reads until the fault, and holds every byte that came against the file's. */
async function readOver(openFaulty: OpenFaulty, fault: Fault): Promise<Outcome> {
  const bytes = patternBytes(SIZE);
  const { source, close } = await openFaulty([{ path: '', bytes }], fault);
  let got = 0;
  try {
    for await (const chunk of await readRoot(source, freeScope().signal)) {
      assert.ok(bytes.subarray(got, got + chunk.length).equals(chunk as Buffer), `bytes from ${got} on`);
      got += chunk.length;
    }
    return { got, error: undefined };
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    return { got, error };
  } finally {
    await close();
  }
}

async function readRoot(source: Source, signal: AbortSignal) {
  for await (const entry of source.entries(freeScope())) return source.read(entry, { start: 0 }, { signal });
  throw new Error('the source has no entry');
}

async function isRetryable(outcome: Promise<Outcome>): Promise<void> {
  const { got, error } = await outcome;
  assert.ok(error instanceof XferError, `ended after ${got} of ${SIZE} bytes: ${error}`);
  assert.ok(error.retryable, `${error.code}: ${error.message}`);
  assert.ok(got < SIZE);
}

async function stalls(openFaulty: OpenFaulty): Promise<void> {
  const reason = new Error('stopped by the test');
  const controller = new AbortController();
  const bytes = patternBytes(SIZE);
  const { source, close } = await openFaulty([{ path: '', bytes }], { stallAfterBytes: FAULT_AT });
  try {
    const stream = await readRoot(source, controller.signal);
    const reading = (async () => {
      for await (const _chunk of stream) {
        controller.abort(reason);
        stream.destroy(reason);
      }
    })();
    await assert.rejects(reading, (error) => error === reason);
  } finally {
    await close();
  }
}
