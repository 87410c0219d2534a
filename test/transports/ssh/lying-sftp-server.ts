/**
 * `node lying-sftp-server.js <record> <lie> [<word>]`: an sftp server on standard input and output that tells one lie. At
 * its end it writes the files that it holds to <record>: path and digest, as JSON.
 */
import { createHash } from 'node:crypto';
import { writeFileSync, writeSync } from 'node:fs';
import { attributeBytes } from '#xfer/transports/ssh/sftp/attributes.js';
import { OPEN, PACKET, STATUS } from '#xfer/transports/ssh/sftp/codec.js';
import { HostileServer, type Lie, type Request, string, uint32 } from './hostile-server.js';

const FILE = 0o100644;
const LINK = 0o120777;
const FOLDER = 0o40755;
/** A name, or words, that a terminal would act on. */
const SPOOF = '\u001b[2J\r\u0007evil\u009b31m\u202etxt.exe\u2066\n';

interface Item {
  readonly name: string;
  readonly permissions?: number;
}

/** All that a lie may change before the first request; what comes back answers requests. */
type Prepare = (server: HostileServer, word: string) => Lie | undefined;

function put(server: HostileServer, path: string, bytes: Buffer | string, mode = FILE): void {
  server.files.set(path, { bytes: Buffer.from(bytes), mode, mtime: 1_600_000_000 });
}

/** A directory that holds these, each of them there whatever it is called. */
function fill(server: HostileServer, directory: string, items: readonly Item[]): void {
  const listed = items.map(({ name, permissions = FILE }) => {
    if (permissions === FILE) put(server, `${directory}/${name}`, 'evil');
    const times = { atime: 1_600_000_000, mtime: 1_600_000_000 };
    return { name, attributes: { size: permissions === FILE ? 4 : 0, permissions, times } };
  });
  for (const path of [directory, `${directory}/`]) server.directories.set(path, listed);
}

const on =
  (type: number, answer: (request: Request, server: HostileServer) => boolean | undefined): Lie =>
  (request, server) =>
    request.type === type ? answer(request, server) : false;

/** Answered in the place of an honest answer. */
const instead = (type: number, answer: (request: Request, server: HostileServer) => undefined): Lie =>
  on(type, (request, server) => {
    answer(request, server);
    return true;
  });

const big = (server: HostileServer) => put(server, '/far/big', Buffer.alloc(3_000_000, 'b'));

/** A listing that goes on for ever, a thousand things at a time. */
const endless = (nameOf: (index: number) => string, permissions: number): Lie => {
  let count = 0;
  return instead(PACKET.READDIR, ({ id }, server) => {
    const names = Array.from({ length: 1000 }, () => [nameOf(count++), '', attributeBytes({ size: 0, permissions })]);
    server.reply(PACKET.NAME, id, names.length, ...names.flat());
  });
};

/** What is asked is done in order, and answered in the wrong one. */
function answerBackwards(server: HostileServer): undefined {
  const raw = server.raw.bind(server);
  const waiting: Buffer[] = [];
  server.raw = (bytes) => {
    waiting.push(bytes);
    if (waiting.length > 1) return;
    setTimeout(() => {
      for (const each of waiting.splice(0).reverse()) raw(each);
    }, 3);
  };
}

const LIES: Record<string, Prepare> = {
  none: () => undefined,
  /** A tree that holds `word` beside `good`. */
  name: (server, word) => {
    fill(server, '/far', [{ name: 'good' }, { name: word }]);
    return undefined;
  },
  /** `d` twice: a link to `word`, then a directory with a file in it. */
  'link then directory': (server, word) => {
    fill(server, '/far', [
      { name: 'd', permissions: LINK },
      { name: 'd', permissions: FOLDER },
    ]);
    fill(server, '/far/d', [{ name: 'x' }]);
    return instead(PACKET.READLINK, ({ id }) => server.reply(PACKET.NAME, id, 1, word, '', 0));
  },
  /** `d` twice: a link to `word`, then a file. */
  'link then file': (server, word) => {
    fill(server, '/far', [{ name: 'd', permissions: LINK }, { name: 'd' }]);
    return instead(PACKET.READLINK, ({ id }) => server.reply(PACKET.NAME, id, 1, word, '', 0));
  },
  setuid: (server) => {
    fill(server, '/far', []);
    server.directories.set('/far', [{ name: 'good', attributes: { size: 4, permissions: 0o107755 } }]);
    put(server, '/far/good', 'evil', 0o107755);
    return undefined;
  },
  home: (server, word) => {
    server.extensions['expand-path@openssh.com'] = '1';
    put(server, word, 'evil');
    put(server, `${word}/report`, 'good');
    return instead(PACKET.EXTENDED, ({ id }) => server.reply(PACKET.NAME, id, 1, word, '', 0));
  },
  'empty data': () => instead(PACKET.READ, ({ id }, server) => server.reply(PACKET.DATA, id, '')),
  'more data': () =>
    on(PACKET.READ, ({ id, reader }, server) => {
      reader.string();
      reader.uint64();
      server.reply(PACKET.DATA, id, string(Buffer.alloc(reader.uint32() + 1)));
      return true;
    }),
  shrinks: (server) =>
    on(PACKET.READ, ({ id, reader }) => {
      reader.string();
      if (reader.uint64() < 2_000_000 && server.files.get('/far/small')?.bytes.length !== 4) return false;
      server.status(id, STATUS.EOF);
      return true;
    }),
  grows: (server) =>
    on(PACKET.OPEN, () => {
      for (const file of server.files.values()) file.bytes = Buffer.concat([file.bytes, Buffer.alloc(100)]);
      return false;
    }),
  'fails write': (_, word) => {
    let count = 0;
    return on(PACKET.WRITE, ({ id }, server) => {
      if (++count !== Number(word)) return false;
      server.status(id, STATUS.FAILURE, 'Failure');
      return true;
    });
  },
  'says text': (server, word) => {
    writeSync(2, `${SPOOF}\n`);
    fill(server, '/far', [{ name: 'good' }, { name: SPOOF }]);
    return on(PACKET.OPEN, ({ id }) => {
      server.status(id, Number(word), `no${SPOOF}`);
      return true;
    });
  },
  'huge count': () => instead(PACKET.READDIR, ({ id }, server) => server.reply(PACKET.NAME, id, 0xffffffff)),
  'huge packet': () =>
    instead(PACKET.READDIR, (_, server) => server.raw(Buffer.concat([uint32(0x7fffffff), Buffer.alloc(1_000_000)]))),
  'unasked packets': () =>
    instead(PACKET.READDIR, (_, server) => {
      for (let id = 1 << 20; id < 1 << 21; id++) server.status(id, STATUS.OK);
    }),
  'endless nothing': () => instead(PACKET.READDIR, ({ id }, server) => server.reply(PACKET.NAME, id, 0)),
  'endless sockets': () => endless((index) => `s${index}`, 0o140644),
  'endless paths': () => endless((index) => `../s${index}`, FILE),
  'endless dots': () => endless((index) => (index % 2 === 0 ? '.' : '..'), FOLDER),
  'endless depth': () => {
    const listed = new Set<string>();
    let count = 0;
    return ({ type, id, reader }, server) => {
      const handle = type === PACKET.READDIR ? reader.text() : '';
      if (type === PACKET.OPENDIR) server.reply(PACKET.HANDLE, id, `d${count++}`);
      else if (type === PACKET.CLOSE) server.status(id, STATUS.OK);
      else if (type !== PACKET.READDIR) return false;
      else if (listed.has(handle)) server.status(id, STATUS.EOF);
      else server.reply(PACKET.NAME, id, 1, 'd', '', attributeBytes({ permissions: FOLDER }));
      listed.add(handle);
      return true;
    };
  },
  backwards: answerBackwards,
  'hangs up': (_, word) => {
    let count = 0;
    return (request) => {
      if (request.type !== PACKET.READ && request.type !== PACKET.WRITE) return false;
      if (++count >= Number(word)) end();
      return false;
    };
  },
  /** Every second file that is open is one too many, and that is all that is said. */
  'few handles': (server, word) =>
    on(PACKET.OPEN, ({ id, reader }) => {
      reader.string();
      const flags = reader.uint32();
      if (server.open.size < Number(word) || !(flags & (OPEN.READ | OPEN.WRITE))) return false;
      server.status(id, STATUS.FAILURE, 'Failure');
      return true;
    }),
};

const [record = '', lie = 'none', word = ''] = process.argv.slice(2);
const prepare = LIES[lie];
if (!prepare) throw new Error(`no lie is called ${lie}`);
const server = new HostileServer();
put(server, '/far/small', 'evil');
big(server);
fill(server, '/far', [{ name: 'good' }]);
server.lie = prepare(server, word);
function end(): void {
  const files = [...server.files].map(([path, { bytes }]) => [path, createHash('sha256').update(bytes).digest('hex')]);
  writeFileSync(record, JSON.stringify(Object.fromEntries(files)));
  process.exit();
}
process.stdout.on('error', end);
process.stdin.pipe(server.near).pipe(process.stdout);
process.stdin.on('end', end);
