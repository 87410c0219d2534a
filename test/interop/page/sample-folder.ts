/** A folder as a person might share it, with pictures, sound, text and large things. */
import { mkdir, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';

type Colour = readonly [number, number, number];

/** A PNG of this size, each point coloured by the function (PNG specification, section 5). */
export function png(width: number, height: number, colourAt: (x: number, y: number) => Colour): Buffer {
  const points = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0, at = 0; y < height; y += 1) {
    at += 1;
    for (let x = 0; x < width; x += 1, at += 3) points.set(colourAt(x, y), at);
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2], 8);
  const chunks = [chunk('IHDR', head), chunk('IDAT', deflateSync(points)), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...chunks]);
}

function chunk(type: string, body: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), body]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(body.length, 0);
  ends.writeUInt32BE(crc32(typed), 4);
  return Buffer.concat([ends.subarray(0, 4), typed, ends.subarray(4)]);
}

/** One second of a tone as a WAV file: 8,000 bytes a second, one byte each. */
export function wav(): Buffer {
  const tone = Buffer.from(Array.from({ length: 8000 }, (_, at) => 128 + Math.round(60 * Math.sin(at / 3))));
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + tone.length, 4);
  head.write('WAVEfmt ', 8);
  for (const [at, value] of [
    [16, 16],
    [24, 8000],
    [28, 8000],
    [40, tone.length],
  ] as const)
    head.writeUInt32LE(value, at);
  for (const [at, value] of [
    [20, 1],
    [22, 1],
    [32, 1],
    [34, 8],
  ] as const)
    head.writeUInt16LE(value, at);
  head.write('data', 36);
  return Buffer.concat([head, tone]);
}

/** Mountains under an evening sky. */
function landscape(hue: number): (x: number, y: number) => Colour {
  return (x, y) => {
    const near = 450 + 40 * Math.sin(x / 90 + hue) + 12 * Math.sin(x / 23);
    const far = 370 + 60 * Math.sin(x / 130 + hue) + 30 * Math.sin(x / 41);
    if (y > near) return [34, 60, 80];
    if (y > far) return [74, 112, 140];
    if ((x - 640) ** 2 + (y - 190) ** 2 < 55 ** 2) return [255, 236, 190];
    return [250 - y / 5, 190 - y / 30, 150 + y / 10];
  };
}

export const README = `# Summer 2024

Pictures and films of our walk along the *Eagle Way*, stages 1 to 9. Everything here may be copied.

| stage | from          | to            |   km |
| ----- | ------------- | ------------- | ---: |
| 1     | St. Johann    | Gaudeamus hut | 19.1 |
| 2     | Gaudeamus hut | Hinterbärenbad | 13.5 |

The uncut films are in [films](films/), and \`tracks.gpx\` opens in any map program.
`;

const SIZES: Record<string, number> = {
  'Stage 1, the long climb.mp4': 734_003_200,
  'accordion evening.mp3': 5_242_880,
  'map of the whole walk, with all huts, springs and ways down, for printing.pdf': 8_123_456,
  'originals.tar.zst': 4_831_838_208,
  'packing list.ods': 23_552,
  'route.py': 5321,
  'tracks.gpx': 182_733,
};

/** Fills `root`; the same at any time, but for the sizes on disk, which are next to nothing. */
export async function makeSampleFolder(root: string): Promise<void> {
  for (const folder of ['2023', 'films', 'people']) await mkdir(join(root, folder));
  for (const [name, bytes] of Object.entries(SIZES)) {
    await writeFile(join(root, name), '');
    await truncate(join(root, name), bytes);
  }
  await writeFile(join(root, 'README.md'), README);
  await writeFile(join(root, 'tone.wav'), wav());
  await writeFile(join(root, 'notes.txt'), 'Water: none between the huts.\nKeys: with Anna.\n');
  for (const [index, name] of ['IMG_2.png', 'IMG_10.png', 'IMG_100.png', 'Zugspitze am Morgen.png'].entries()) {
    await writeFile(join(root, name), png(900, 600, landscape(index)));
  }
  const names = [...Object.keys(SIZES), '2023', 'films', 'people', 'README.md', 'notes.txt', 'tone.wav'];
  names.push('IMG_2.png', 'IMG_10.png', 'IMG_100.png', 'Zugspitze am Morgen.png');
  for (const [index, name] of names.entries()) {
    const seconds = Date.UTC(2024, 5, 1, 6, 12) / 1000 + index * 211_000;
    await utimes(join(root, name), seconds, seconds);
  }
}
