/** Listings as other servers write them, of one folder: `a & b.txt`, `100%.bin`, `sub dir/`. */
export const PAGES: Readonly<Record<string, string>> = {
  'Apache 2.4, fancy': `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">
<html><head><title>Index of /pub</title></head><body><h1>Index of /pub</h1>
<table><tr><th valign="top"><img src="/icons/blank.gif" alt="[ICO]"></th><th><a href="?C=N;O=D">Name</a></th><th><a href="?C=M;O=A">Last modified</a></th></tr>
<tr><td valign="top"><img src="/icons/back.gif" alt="[PARENTDIR]"></td><td><a href="/">Parent Directory</a></td><td>&nbsp;</td></tr>
<tr><td valign="top"><img src="/icons/text.gif" alt="[TXT]"></td><td><a href="a%20&amp;%20b.txt">a &amp; b.txt</a></td><td align="right">2026-11-27 14:00  </td><td align="right">  3 </td></tr>
<tr><td valign="top"><img src="/icons/unknown.gif" alt="[   ]"></td><td><a href="100%25.bin">100%.bin</a></td></tr>
<tr><td valign="top"><img src="/icons/folder.gif" alt="[DIR]"></td><td><a href="sub%20dir/">sub dir/</a></td></tr>
</table><address>Apache/2.4.57 (Debian) Server at localhost Port 80</address></body></html>`,
  nginx: `<html>\r
<head><title>Index of /pub/</title></head>\r
<body>\r
<h1>Index of /pub/</h1><hr><pre><a href="../">../</a>\r
<a href="sub%20dir/">sub dir/</a>                                           27-Nov-2026 14:18                   -\r
<a href="100%25.bin">100%.bin</a>                                           27-Nov-2026 14:18                   2\r
<a href="a%20%26%20b.txt">a &amp; b.txt</a>                                27-Nov-2026 14:18                   3\r
</pre><hr></body>\r
</html>\r
`,
  caddy: `<!DOCTYPE html><html><head><title>pub</title><style>a{color:"<a href='x'>"}</style></head><body>
<a href="/">/</a><a href="/pub/">pub</a>
<table><tr class="file"><td></td><td><a href="./sub%20dir/"><span class="name">sub dir</span></a></td></tr>
<tr class="file"><td></td><td><a href="./100%25.bin"><svg></svg>100%.bin</a></td></tr>
<tr class="file"><td></td><td><a href="./a%20&amp;%20b.txt">a &amp; b.txt</a></td></tr></table>
<a rel="noopener noreferrer" href="https://caddyserver.com">Caddy</a><script>var a = "<a href=\\"no\\">";</script></body></html>`,
  python: `<!DOCTYPE HTML>
<html lang="en"><head><meta charset="utf-8"><title>Directory listing for /pub/</title></head>
<body><h1>Directory listing for /pub/</h1><hr><ul>
<li><a href="100%25.bin">100%.bin</a></li>
<li><a href="a%20%26%20b.txt">a &amp; b.txt</a></li>
<li><a href="sub%20dir/">sub dir/</a></li>
</ul><hr></body></html>`,
  lighttpd: `<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>Index of /pub/</title></head><body>
<h2>Index of /pub/</h2><div class="list"><table summary="Directory Listing" cellpadding="0" cellspacing="0">
<tbody><tr class="d"><td class="n"><a href="../">..</a>/</td><td class="m">&nbsp;</td></tr>
<tr class="d"><td class="n"><a href="sub%20dir/">sub dir</a>/</td><td class="m">2026-Nov-27 14:18:04</td></tr>
<tr><td class="n"><a href="100%25.bin">100%.bin</a></td><td class="s">0.1K</td></tr>
<tr><td class="n"><a href="a%20%26%20b.txt">a &amp; b.txt</a></td><td class="s">0.1K</td></tr>
</tbody></table></div><div class="foot">lighttpd/1.4.69</div></body></html>`,
  rclone: `<!DOCTYPE html><html><head><base href="/pub/"></head><body>
<header><h1><a href="/">/</a><a href="/pub">pub</a>/</h1></header>
<a href="?sort=namedirfirst&order=desc" class="icon">x</a>
<tr class="file"><td><a href="..">Go up</a></td></tr>
<tr class="file"><td><a href="sub%20dir/"><span class="name">sub dir</span></a></td></tr>
<tr class="file"><td><a href="100%25.bin">100%.bin</a></td></tr>
<tr class="file"><td><a href="a%20&amp;%20b.txt">a &amp; b.txt</a></td></tr></body></html>`,
  'npx serve': `<!DOCTYPE html><html><body><main><ul>
<li><a href="/" title="../" class="">../</a></li>
<li><a href="/pub/100%25.bin" title="100%.bin" class="file bin">100%.bin</a></li>
<li><a href="/pub/a & b.txt" title="a &amp; b.txt" class="file txt">a &amp; b.txt</a></li>
<li><a href="/pub/sub dir/" title="sub dir/" class="folder">sub dir/</a></li></ul></main></body></html>`,
};
