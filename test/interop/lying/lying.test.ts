/**
 * What xfer get leaves under the final name where the server lies, and what wget, curl and aria2c leave there: the table is
 * printed. For xfer it is the right file or none.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { needs } from '../../support/peers.js';
import { CLIENTS, type Client } from './clients.js';
import { cut, FIRST, LIES, type Lie } from './lies.js';

const peers = { ...needs('wget', 'curl', 'aria2c'), timeout: 300_000 };

describe('servers that lie', peers, () => {
  let server: Server;
  let url: string;
  let answer: Lie['answer'];
  let folder: string;
  const table: string[][] = [];

  before(async () => {
    server = createServer((request, response) => answer(request, response));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
    const rows = [
      ['the server', ...CLIENTS.map(({ label }) => label)],
      CLIENTS.map(() => '---').concat('---'),
      ...table,
    ];
    process.stdout.write(rows.map((row) => `| ${row.join(' | ')} |\n`).join(''));
  });

  async function outcome(lie: Lie, client: Client): Promise<string> {
    folder = mkdtempSync(join(tmpdir(), 'xfer-lies-'));
    try {
      const out = join(folder, 'file');
      if (lie.resumed) {
        answer = cut;
        await client.run(url, out);
      }
      answer = lie.answer;
      const { exitCode } = await client.run(url, out);
      return `${stateOf(out, lie.right)}, exit ${exitCode}`;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** aria2c says by a file beside it that a file is not whole. */
  function stateOf(out: string, right: readonly Buffer[]): string {
    if (!existsSync(out)) return 'none';
    const bytes = readFileSync(out);
    if (right.some((each) => each.equals(bytes))) return 'right';
    if (bytes.length === 0) return 'empty';
    if (bytes.equals(FIRST.subarray(0, bytes.length))) return 'a part';
    return readdirSync(folder).includes('file.aria2') ? 'wrong, with file.aria2' : 'WRONG';
  }

  for (const lie of LIES) {
    test(lie.title, { timeout: 120_000 }, async () => {
      const row: string[] = [];
      for (const client of CLIENTS) row.push(await outcome(lie, client));
      table.push([lie.title, ...row]);
      for (const [at, said] of row.entries()) {
        if (!CLIENTS[at]?.label.startsWith('xfer')) continue;
        assert.match(said, /^right, exit 0$|^none, exit [2-8]$/, `${CLIENTS[at]?.label}: ${said}`);
      }
    });
  }
});
