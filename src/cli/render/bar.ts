/** A bar on a terminal, drawn by the package `progress`. */
import ProgressBar from 'progress';
import type { Output } from '../surroundings.js';
import { BAR_WIDTH, barTokens, barWidth, type View } from './view.js';

const RENDER_EVERY_MS = 100;

/** One bar for the whole copy. */
export function createBarView(output: Output, now: () => number = () => performance.now()): View {
  const bar = new ProgressBar(':label:share [:bar] :amounts', {
    total: 1,
    width: BAR_WIDTH,
    clear: true,
    complete: '=',
    head: '>',
    incomplete: ' ',
    renderThrottle: 0,
    stream: output,
  });
  let shownMs = Number.NEGATIVE_INFINITY;
  let visible = false;
  return {
    show: (tally) => {
      if (now() - shownMs < RENDER_EVERY_MS) return;
      shownMs = now();
      visible = true;
      bar.total = Math.max(1, tally.planned, tally.held);
      bar.curr = tally.ratio === undefined ? 0 : tally.held;
      const columns = output.columns || 80;
      const tokens = barTokens(tally, columns);
      // The package leaves room for the names of the tokens, not for what they stand for.
      Object.assign(bar, { width: barWidth(tokens, columns) });
      bar.render(literal(tokens));
    },
    line: (text) => {
      if (visible) bar.interrupt(text);
      else output.write(`${text}\n`);
    },
    end: () => {
      if (visible) bar.terminate();
      visible = false;
    },
  };
}

/** The package puts tokens in by String.replace, which gives `$` a meaning. */
function literal(tokens: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(tokens).map(([key, text]) => [key, text.replaceAll('$', '$$$$')]));
}
