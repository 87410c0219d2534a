/** `open-session.js url ssh_config`: opens a source through the library, and closes it. A program of the login row. */
import { openSource } from '#xfer/index.js';

const [url, configFile] = process.argv.slice(2);
if (url === undefined || configFile === undefined) throw new TypeError('needs a URL and an ssh_config');
const source = await openSource(url, { configFile });
await source.close();
