/** `xfer put`: uploads over HTTP. */
import { XferError } from '../../errors.js';
import { type Location, parseLocation } from '../../location.js';
import type { Command } from '../command.js';
import { httpOptions } from '../http-options.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import { runCopy } from '../run-copy.js';
import type { Surroundings } from '../surroundings.js';
import { parseWeb } from '../web-location.js';

export const command: Command = {
  name: 'put',
  summary: 'Upload over HTTP or HTTPS. What was cut off goes on where it stopped, if the server can.',
  usage: '[options] file... url',
  examples: [
    ['xfer put disk.img http://192.0.2.2:8000/', 'a file into a folder, under its own name'],
    ['xfer put photos notes.txt https://example.org/in/', 'a folder with all that is in it, and a file'],
    ['tar c photos | xfer put - https://example.org/in/photos.tar', 'what a program writes'],
  ],
  operands: [2, Number.POSITIVE_INFINITY],
  missing: { message: 'put: a file and a URL are needed', hint: 'xfer put file http://host:8000/' },
  run,
};

function parseTarget(text: string, platform: NodeJS.Platform): Location {
  return parseWeb(`put to ${text}`, text, platform, {
    path: 'the URL comes last: xfer put file http://host:8000/',
    hostPort: `write it as http://${text}`,
  });
}

function parseFile(text: string, platform: NodeJS.Platform): Location {
  if (text === '' || text === '-') return parseLocation(text, platform);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    throw new XferError('USAGE', `put ${text}: not a file of this machine`, { hint: 'xfer cp takes other locations' });
  }
  return { scheme: 'file', path: text };
}

async function run(parsed: ParsedArguments, around: Surroundings): Promise<void> {
  const to = parseTarget(parsed.operands.at(-1) as string, around.platform);
  const from = parsed.operands.slice(0, -1).map((text) => parseFile(text, around.platform));
  const intoFolder = from.length > 1 || new URL(to.url as string).pathname.endsWith('/');
  if (intoFolder && from.some(({ scheme }) => scheme === 'stdio')) {
    throw new XferError('USAGE', 'put -: standard input has no name of its own', {
      hint: 'put it alone, and name it in the URL: xfer put - http://host:8000/name',
    });
  }
  const web = await httpOptions(parsed, [to], around);
  return runCopy(
    {
      from,
      to,
      transportOptions: { ...web, replace: parsed.flag('overwrite') },
      copyOptions: { recursive: true, preserve: true, intoDirectory: intoFolder },
    },
    parsed,
    around,
  );
}
