/** `--qr` and `--open`: the page on a phone, and in the browser of this machine. */
import { isLoopbackUrl, urlForOthers } from '../../listening/listener-urls.js';
import type { Listener } from '../../transport.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import type { Report } from '../render/report.js';
import type { Surroundings } from '../surroundings.js';
import { openPage } from './open-page.js';

/** Shows what the options ask for; what cannot be shown is a notice. */
export async function showPage(
  { urls }: Listener,
  parsed: ParsedArguments,
  around: Surroundings,
  report: Report,
): Promise<void> {
  if (parsed.flag('qr')) await showQrCode(urlForOthers(urls), parsed.flag('json'), around, report);
  if (!parsed.flag('open')) return;
  const url = urls.find(isLoopbackUrl) ?? urls[0];
  if (url === undefined) report.onNotice('no page is opened: a browser cannot reach a unix socket');
  else await openPage(url, around.signal, report.onNotice);
}

async function showQrCode(url: string | undefined, json: boolean, around: Surroundings, report: Report): Promise<void> {
  if (url === undefined) {
    report.onNotice('no QR code: no other machine can reach this address');
    return;
  }
  const { qrLines, inkOf } = await import('../render/qr-code.js');
  // JSON is for a program, and the code for the person beside it.
  const output = json ? around.stderr : around.stdout;
  const lines = qrLines(url, inkOf(output, around.env, around.platform));
  const columns = output.isTTY ? (output.columns ?? 80) : Number.POSITIVE_INFINITY;
  if (lines.columns > columns) report.onNotice(`no QR code: it needs ${lines.columns} columns of the terminal`);
  else output.write(`${lines.text}\n`);
}
