/** What is used of serve-handler 6.1, which brings no types. */
declare module 'serve-handler' {
  interface Stats {
    readonly size: number;
    readonly mtime: Date;
    isDirectory(): boolean;
    isSymbolicLink(): boolean;
  }
  interface Hooks {
    lstat(path: string): Promise<Stats>;
    readdir(path: string): Promise<string[]>;
    createReadStream(path: string): { pipe(): void };
    sendError(): void;
  }
  /** Values of rules are handed on without a look at them, but for null. */
  interface Options {
    readonly public: string;
    readonly cleanUrls?: boolean | readonly string[];
    readonly directoryListing?: boolean | readonly string[];
    readonly rewrites?: readonly { readonly source: string; readonly destination: string }[];
    readonly redirects?: readonly { readonly source: string; readonly destination: string; readonly type: unknown }[];
    readonly headers?: readonly {
      readonly source: string;
      readonly headers: readonly { readonly key: string; readonly value: unknown }[];
    }[];
    readonly unlisted?: readonly string[];
    readonly trailingSlash?: boolean;
    readonly renderSingle?: boolean;
  }
  interface Request {
    readonly url: string;
    readonly headers: { readonly accept?: string };
  }
  interface Response {
    statusCode: number;
    setHeader(name: string, value: string): void;
    writeHead(status: unknown, fields: Readonly<Record<string, unknown>>): void;
    end(body?: string): void;
  }
  export default function route(request: Request, response: Response, options: Options, hooks: Hooks): Promise<void>;
}
