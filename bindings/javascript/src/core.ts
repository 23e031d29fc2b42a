import type { AuthKitError } from './error.js';

/** The native layer: one entry for every operation. It rejects with the JSON of an error. */
export interface Core {
  /** Arguments, options and answer are JSON. The call is given up when `aborted` resolves with `true`. */
  call(operation: string, args: string, options: string, aborted?: Promise<boolean>): Promise<string>;
  accessToken(): Promise<string>;
  isSignedIn(): Promise<boolean>;
  /** The same client with this access token and without the session. */
  withBearer(accessToken: string): Core;
}

/** The tokens of a session as a storage keeps them. There may be fields of later versions, which must be kept. */
export interface StoredTokens {
  access_token: string;
  refresh_token: string;
  session_id: string;
  obtained_at: number;
  expires_at: number;
  refresh_key?: string;
}

/**
 * Where tokens are kept. `load` answers what was last saved, and `null` after `clear`; `save` has lasted when it returns.
 * Storages that several clients share, in several tabs for example, implement `tryLock`: it does not wait, and answers
 * how the lock is released, or `null` while somebody else has it.
 */
export interface TokenStorage {
  load(): Promise<StoredTokens | null> | StoredTokens | null;
  save(tokens: StoredTokens): Promise<void> | void;
  clear(): Promise<void> | void;
  tryLock?(): Promise<(() => void) | null> | (() => void) | null;
}

/** What happened to the tokens of a client. */
export type AuthKitEvent =
  | { readonly type: 'signed_in' }
  | { readonly type: 'refreshed' }
  | {
      readonly type: 'signed_out';
      /** The refusal that ended the session; `null` after a sign-out. */
      readonly reason: AuthKitError | null;
    };

/** What is the same for clients of every package. */
export interface ClientOptions {
  /** The tenant, by id or short name, where the server's host does not name it. */
  tenant?: string;
  /** Milliseconds that one call may take, with its repeats and with a refresh on the way. Default: 30 000. */
  timeout?: number;
  /** How often a call is repeated that failed and may be repeated. Default: 2. */
  retries?: number;
  /** Hears when somebody is signed in, renewed and signed out. */
  onEvent?: (event: AuthKitEvent) => void;
}
