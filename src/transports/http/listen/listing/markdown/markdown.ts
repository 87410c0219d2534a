/** Markdown -> HTML that does nothing but show text, links and this server's pictures. */
import MarkdownIt from 'markdown-it';

const SCHEMES: readonly string[] = ['http:', 'https:', 'mailto:'];
/** Stands for the server, whatever it is called. */
const HERE = 'http://here.invalid/';

/** Keeps the names of headings apart from the names that the page itself uses. */
const PREFIX = 'text-';

/**
 * HTML in the text is shown as text. A link leads to http, https, mailto or a relative address, or is text; a picture is
 * taken from the same server, or its description is shown. The highest heading is `h2`.
 */
export function htmlFromMarkdown(text: string): string {
  // All that the text holds is escaped: what begins so was made here.
  return markdown.render(text).replaceAll('<pre><code', '<pre tabindex="0"><code');
}

const markdown = new MarkdownIt({ html: false, linkify: true });
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
markdown.validateLink = (href) => SCHEMES.includes(addressOf(href)?.protocol ?? '');

markdown.renderer.rules.image = (tokens, index, options, env, renderer) => {
  const token = tokens[index];
  if (!token) return '';
  const source = String(token.attrGet('src') ?? '');
  const described = renderer.renderInlineAsText(token.children ?? [], options, env);
  if (!source || addressOf(source)?.origin !== new URL(HERE).origin) return markdown.utils.escapeHtml(described);
  token.attrSet('alt', described);
  token.attrSet('loading', 'lazy');
  return renderer.renderToken(tokens, index, options);
};

markdown.renderer.rules.link_open = (tokens, index, options, _env, renderer) => {
  const token = tokens[index];
  const href = String(token?.attrGet('href') ?? '');
  if (href.startsWith('#')) token?.attrSet('href', `#${PREFIX}${href.slice(1)}`);
  else token?.attrSet('rel', 'noopener noreferrer nofollow');
  return renderer.renderToken(tokens, index, options);
};

// The policy of the page allows no style in an attribute; and what scrolls sideways must do so by keys too.
markdown.core.ruler.push('columns', ({ tokens }) => {
  for (const token of tokens) {
    if (token.type === 'table_open') token.attrSet('tabindex', '0');
    const side = /^text-align:(\w+)$/.exec(String(token.attrGet('style') ?? ''))?.[1];
    if (side !== undefined) token.attrs = [['class', side]];
  }
});

// The page has its own h1; and a table of contents must lead somewhere.
markdown.core.ruler.push('headings', ({ tokens }) => {
  const taken = new Set<string>();
  for (const [index, token] of tokens.entries()) {
    if (token.type !== 'heading_open' && token.type !== 'heading_close') continue;
    token.tag = `h${Math.min(6, Number(token.tag.slice(1)) + 1)}`;
    if (token.type === 'heading_close') continue;
    const name = slug(tokens[index + 1]?.content ?? '');
    if (name !== '' && !taken.has(name)) token.attrSet('id', PREFIX + name);
    taken.add(name);
  }
});

/** As GitHub names a heading, so that its links hold. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');
}

/** Where a reference leads, as a browser takes it; undefined where it leads nowhere. */
function addressOf(reference: string): URL | undefined {
  try {
    return new URL(reference, HERE);
  } catch {
    return undefined;
  }
}
