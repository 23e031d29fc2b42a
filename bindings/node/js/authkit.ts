import { AuthKitClient, type EmbeddedClientOptions } from './client.js';
import { native, typed, type NativeEngine } from './native.js';
import type { Settings } from './settings.js';
import { AuthKitError } from './shared/error.js';

/**
 * The settings of an engine: those of docs/configuration.md, by the names that they have there. The database is
 * `sqlite://path`, `sqlite::memory:` or `postgres://…`; its schema is brought up to date.
 */
export type AuthKitSettings = Omit<Settings, 'database' | 'database_url'> &
  ({ database: string; database_url?: never } | { database_url: string; database?: Settings['database'] });

/** Who presents an access token. Times are in seconds since 1970. */
export interface Principal {
  readonly user: string;
  readonly tenant: string;
  readonly session: string;
  /** The ids of the roles in force. */
  readonly roles: readonly string[];
  /** What they grant: `resource:action`, with `:own` behind it where it is for one's own objects only. */
  readonly permissions: readonly string[];
  /** How the session was signed in to (RFC 8176). */
  readonly amr: readonly string[];
  /** When. */
  readonly auth_time: number;
  /** When the token runs out. */
  readonly expires_at: number;
}

/** What a token's holder must be allowed to do. */
export interface VerifyOptions {
  /** `resource:action` */
  permission?: string;
  /** Whose object it is about: a user's id. Then a permission for one's own objects is enough for its owner. */
  owner?: string;
}

/** An account that the application makes, without a proof of its address. */
export interface NewUser {
  email: string;
  password: string;
  name?: string;
  /** Names of roles, `admin` for example. */
  roles?: string[];
}

/** AuthKit's engine inside this process. */
export class AuthKit {
  readonly #engine: NativeEngine;

  private constructor(engine: NativeEngine) {
    this.#engine = engine;
  }

  /** @internal */
  static over(engine: NativeEngine): AuthKit {
    return new AuthKit(engine);
  }

  /**
   * Opens the engine over its database, with its worker. It does not keep the process alive, and is closed when the process
   * ends.
   * @throws {AuthKitError} `client.invalid_argument` names what is wrong with the settings
   */
  static async open(settings: AuthKitSettings): Promise<AuthKit> {
    return typed(async () => new AuthKit(await native.open(JSON.stringify(settings ?? null))));
  }

  /** A client of this engine, with a session of its own. */
  client(options: EmbeddedClientOptions = {}): AuthKitClient {
    return AuthKitClient.embedded(this.#engine, options);
  }

  /**
   * Who presents an access token, at once: nothing is read and nobody waits. What was revoked anywhere is refused within a
   * second.
   * @throws {AuthKitError} `auth.invalid_token`, `auth.forbidden`; `server.unavailable` when this process may know too
   * little, and `authenticate` has to ask
   */
  verify(accessToken: string, { permission, owner }: VerifyOptions = {}): Principal {
    const shown = this.#verified(accessToken, permission, owner);
    if (shown !== null) return shown;
    throw new AuthKitError({
      code: 'server.unavailable',
      status: 503,
      retryable: true,
      message: 'This process has not heard lately of what was revoked. `authenticate` asks the database.',
    });
  }

  /** The same, asking the database when this process may know too little. */
  async authenticate(accessToken: string, { permission, owner }: VerifyOptions = {}): Promise<Principal> {
    try {
      const shown = this.#verified(accessToken, permission, owner);
      if (shown !== null) return shown;
    } catch (error) {
      // A key that another node has just begun to sign with is not known here yet.
      if (!(error instanceof AuthKitError) || error.code !== 'auth.invalid_token') throw error;
    }
    return typed(async () => JSON.parse(await this.#engine.authenticate(accessToken, permission ?? null, owner ?? null)));
  }

  /** Makes an account, for the application's own set-up; its id. */
  createUser(user: NewUser): Promise<string> {
    return typed(() => this.#engine.createUser(JSON.stringify(user)));
  }

  /** Ends the worker and closes the database. Calls that come later are refused. */
  close(): Promise<void> {
    return typed(() => this.#engine.close());
  }

  /** `await using` closes it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #verified(accessToken: string, permission?: string, owner?: string): Principal | null {
    try {
      const shown = this.#engine.verify(accessToken, permission ?? null, owner ?? null);
      return shown === null ? null : (JSON.parse(shown) as Principal);
    } catch (thrown) {
      throw AuthKitError.from(thrown);
    }
  }
}
