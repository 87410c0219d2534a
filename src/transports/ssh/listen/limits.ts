/** How much a client may have of the listener. */
import type { WrongLoginWaits } from '../../../listening/wrong-logins.js';
import { COUNT_OR_ENDLESS, DELAY, type Kinds, TIME } from '../../../option-rules.js';

export interface Limits extends WrongLoginWaits {
  /** Connections in all, and those that are not logged in, in all and from one address (sshd's MaxStartups). */
  readonly connections: number;
  readonly startups: number;
  readonly startupsPerAddress: number;
  /** A login takes at most this long (sshd's LoginGraceTime) and so many tries (MaxAuthTries). */
  readonly loginTimeoutMs: number;
  readonly loginTries: number;
  /** Sessions of one connection (MaxSessions), and what one session may have open. */
  readonly sessions: number;
  readonly handles: number;
}

export const LIMITS: Limits = {
  connections: 256,
  startups: 100,
  startupsPerAddress: 20,
  loginTimeoutMs: 60_000,
  loginTries: 6,
  wrongPasswordMs: 500,
  mostWrongPasswordMs: 8000,
  sessions: 10,
  handles: 256,
};

export const LIMIT_KINDS: Kinds<Limits> = {
  connections: COUNT_OR_ENDLESS,
  startups: COUNT_OR_ENDLESS,
  startupsPerAddress: COUNT_OR_ENDLESS,
  loginTimeoutMs: TIME,
  loginTries: COUNT_OR_ENDLESS,
  wrongPasswordMs: DELAY,
  mostWrongPasswordMs: DELAY,
  sessions: COUNT_OR_ENDLESS,
  handles: COUNT_OR_ENDLESS,
};
