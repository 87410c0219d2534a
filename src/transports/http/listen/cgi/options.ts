/** What can be asked of the scripts that a share may hold. */
export interface CgiOptions {
  /** Directories below the root, as the paths of their addresses; `cgi-bin` where absent. */
  readonly directories?: readonly string[];
  /** A script from which, and to which, nothing came for so long is ended; 60 s where absent. */
  readonly timeoutMs?: number;
  /** Bytes of the largest body that a request may have for a script; 1 GiB where absent. */
  readonly maxBodyBytes?: number;
  /** Scripts at work at once, before others are answered with 503; 32 where absent. */
  readonly maxScripts?: number;
}
