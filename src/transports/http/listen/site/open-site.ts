/** The site that a shared directory is: by its `serve.json`, or because it is asked for. */
import { XferError } from '../../../../errors.js';
import { GatheredSource } from '../../../../gathered-source.js';
import type { Scope } from '../../../../transport.js';
import type { SharedSource } from '../sharing.js';
import type { SiteOptions } from './options.js';
import { SiteRouter } from './router.js';
import { parseRules, RULES_NAME, type SiteRules, USUAL_RULES } from './rules.js';
import { Site } from './site.js';

const MOST_RULES_BYTES = 256 * 1024;

/**
 * The site that `share` is to be, or undefined. Its rules are read once. USAGE where the share is no single directory or a rule is
 * not right, NOT_FOUND where its `public` is no directory, and what reading the rules rejects with.
 */
export async function openSite(
  share: SharedSource,
  { site, single = false }: SiteOptions,
  scope: Scope,
  onNotice?: (line: string) => void,
): Promise<Site | undefined> {
  const asked = site ?? (single || undefined);
  if (asked === false) return undefined;
  if (share instanceof GatheredSource) {
    if (asked)
      throw new XferError('USAGE', `serve ${share.label}: a site is one directory`, { hint: 'xfer serve --site .' });
    return undefined;
  }
  const text = await readRules(share, scope);
  if (text === undefined && !asked) return undefined;
  const found = text === undefined ? USUAL_RULES : parseRules(text, RULES_NAME);
  if ((await share.stat(found.public, scope))?.kind !== 'directory') {
    throw new XferError('NOT_FOUND', `${RULES_NAME}: public: no directory ${found.public}`);
  }
  const rules = single ? withSinglePage(found) : found;
  const router = await SiteRouter.create(rules, RULES_NAME);
  if (text !== undefined) onNotice?.(`serve ${share.label}: by the rules of its ${RULES_NAME}`);
  return new Site(rules, router, RULES_NAME);
}

/** As `serve --single` does it: before all other rewrites, which still change what comes of it. */
function withSinglePage(rules: SiteRules): SiteRules {
  return { ...rules, rewrites: [{ source: '**', destination: '/index.html' }, ...rules.rewrites] };
}

/** Undefined where there are none. */
async function readRules(share: SharedSource, scope: Scope): Promise<string | undefined> {
  if ((await share.stat(RULES_NAME, scope))?.kind !== 'file') return undefined;
  const file = await share.open(RULES_NAME, scope);
  try {
    const { size = MOST_RULES_BYTES } = file.entry;
    if (size > MOST_RULES_BYTES) throw new XferError('USAGE', `${RULES_NAME}: larger than ${MOST_RULES_BYTES} bytes`);
    const chunks: Buffer[] = [];
    for await (const chunk of file.read({ start: 0, end: size })) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString('utf8');
  } finally {
    await file.close();
  }
}
