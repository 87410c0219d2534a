/**
 * Which tests hold each of the 25 attacks that file servers have suffered: what happened, and where it is tried here.
 *
 *  1 `../` in any spelling              14 DNS rebinding, Host
 *  2 a prefix without its separator     15 expressions and parsers that are kept busy
 *  3 links, also swapped meanwhile      16 thousands of ranges
 *  4 names of uploads                   17 leaks by hang-ups
 *  5 markup in names                    18 clients that stall
 *  6 markup in what is asked            19 smuggling, malformed HTTP
 *  7 HTML that was uploaded             20 secrets and paths in answers
 *  8 redirects to elsewhere             21 logs and terminals
 *  9 names in header fields             22 Windows
 * 10 other spellings of what is closed  23 archives that climb out
 * 11 one way left open of many          24 logins
 * 12 siblings of a file shared alone    25 CGI
 * 13 requests from other sites
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

/** Row -> compiled test files, below that of the listener, and words of a test in each. */
const ROWS: Readonly<Record<number, readonly (readonly [file: string, words: string])[]>> = {
  1: [
    ['attacks/spellings', 'all short ways up'],
    ['hostile', 'no spelling of a target leaves the root'],
    ['site/hostile', 'no spelling leaves the site'],
  ],
  2: [
    ['attacks/spellings', 'a file of a sibling'],
    ['attacks/swapped-links', 'to-sibling'],
    ['upload/attacks', 'root_evil/secret'],
    ['access/prefix', 'what is left of a target below the base path'],
  ],
  3: [
    ['attacks/swapped-links', 'that is swapped meanwhile'],
    ['confined', 'no link leads out of it'],
    ['upload/attacks', 'no upload goes through a link that leads out'],
    ['upload/attacks', 'a folder that is swapped for a link meanwhile'],
    ['archive/contents', 'links out are not there'],
    ['cgi/hidden-text', 'no link to it'],
  ],
  4: [
    ['upload/attacks', 'no name of an upload leaves its folder'],
    ['upload/multipart', 'names come as they were sent'],
  ],
  5: [
    ['listing/listing', 'no name of a file becomes markup'],
    ['attacks/told', 'a markup of who asks'],
    ['../../../interop/page/hostile', 'no name does anything but be shown'],
  ],
  6: [['attacks/told', 'a markup of who asks']],
  7: [
    ['upload/attacks', 'what was uploaded runs nothing in our name'],
    ['../../../interop/page/hostile', 'a page that was uploaded runs nothing'],
    ['listing/page', 'what a browser would run is never looked at'],
  ],
  8: [
    ['hostile', 'no answer names another host'],
    ['site/hostile', 'no redirect leads to another host'],
    ['attacks/spellings', 'Location'],
  ],
  9: [
    ['attacks/told', 'X-Injected'],
    ['hostile', 'takes a line from the target'],
  ],
  10: [
    ['access/matrix', 'exactly what may go on does'],
    ['cgi/hidden-text', 'no spelling of its address'],
  ],
  11: [
    ['access/matrix', 'exactly what may go on does'],
    ['upload/matrix', 'exactly what may be done is done'],
    ['status/metrics', 'what changes something is no question'],
    ['attacks/pipelined', 'does not open it for what follows'],
  ],
  12: [
    ['file/send-file', 'a share that is one file serves it and nothing beside it'],
    ['archive/answer', 'one file alone is no folder'],
  ],
  13: [
    ['access/names-and-origins', 'a page of another site may change nothing'],
    ['access/matrix', 'exactly what may go on does'],
    ['upload/matrix', 'a page of another site'],
  ],
  14: [['access/names-and-origins', 'over the wire: no Host, several']],
  15: [
    ['malformed', 'fields of eight thousand characters'],
    ['site/hostile', 'no path keeps a rule busy'],
    ['site/rules', 'keep this pattern busy'],
    ['cgi/response-head', 'a line is read at once'],
    ['listing/markdown', 'a text that would grow without end'],
  ],
  16: [['file/ranges', 'several ranges come as multipart']],
  17: [
    ['attacks/hang-ups', 'at any time of any answer'],
    ['upload/attacks', 'clients that go away leave no file open'],
    ['hostile', 'hang-ups and conditional requests leave no file open'],
    ['archive/under-way', 'a client that hangs up leaves nothing open'],
    ['cgi/faults', '300 scripts in all ways'],
  ],
  18: [
    ['attacks/crowds', 'another one is served within a second'],
    ['attacks/pipelined', 'many requests at once of a client that reads nothing'],
    ['hostile', 'a client that stalls is cut'],
    ['upload/attacks', 'a body that stalls, or brings next to nothing, is cut'],
    ['upload/attacks', 'too many uploads at once are asked to wait'],
    ['tls/tls-listener', 'who sends nothing, stops in a handshake'],
  ],
  19: [
    ['malformed', 'each request gets an answer that it may get'],
    ['attacks/pipelined', 'never taken for a request'],
  ],
  20: [
    ['attacks/told', 'no answer says a path of this machine'],
    ['cgi/hidden-text', 'no spelling of its address'],
    ['file/send-file', 'names that start with a dot'],
  ],
  21: [
    ['log/access-log', 'nothing that a terminal obeys'],
    ['cgi/faults', 'the log holds what is printable'],
  ],
  22: [['hostile', 'is another name of what starts with a dot']],
  23: [['archive/contents', 'no name climbs out']],
  24: [
    ['access/logins', 'a hundred wrong logins a second'],
    ['../../../listening/accounts', 'only a name with its own password'],
  ],
  25: [
    ['cgi/scripts', 'the environment is what is listed'],
    ['cgi/hidden-text', '///nocgi.py/../cgi-bin/x.sh'],
    ['cgi/faults', 'a silent script is ended'],
  ],
};

test('each row has its tests', () => {
  assert.equal(Object.keys(ROWS).length, 25);
  for (const [row, places] of Object.entries(ROWS)) {
    for (const [file, words] of places) {
      const text = readFileSync(new URL(`../${file}.test.js`, import.meta.url), 'utf8');
      assert.ok(text.includes(words), `row ${row}: ${file} has no test of: ${words}`);
    }
  }
});
