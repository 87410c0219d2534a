/** Whether what is shared is a web site. */

export interface SiteOptions {
  /** True: the share is a site; false: it is none; absent: it is one where a `serve.json` is in it. */
  readonly site?: boolean;
  /** Every path at which nothing is is answered with `/index.html`. Makes the share a site. */
  readonly single?: boolean;
}
