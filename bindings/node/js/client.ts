import { asked, told } from './callbacks.js';
import { native, NodeCore, type NativeCore, type NativeEngine } from './native.js';
import { Client } from './shared/client.js';
import type { ClientOptions, TokenStorage } from './shared/core.js';
import { settings } from './shared/crossing.js';
import { AuthKitError } from './shared/error.js';
import { TokenVerifier } from './shared/verify.js';

/** How a client of an engine in the same process is made. */
export interface EmbeddedClientOptions extends ClientOptions {
  /** Where tokens are kept: in memory, which is the default, in a file of that path, or wherever your storage keeps them. */
  storage?: string | TokenStorage;
}

/** How a client of a server is made. */
export interface AuthKitClientOptions extends EmbeddedClientOptions {
  /** The server's address. Plain `http` is taken for this machine only. */
  baseUrl: string;
  /** Takes plain `http` to other machines too. Whoever is on the way then reads passwords and tokens. */
  allowInsecure?: boolean;
}

/** What crosses with each way of making a client. */
function crossing(options: EmbeddedClientOptions, more: object = {}) {
  const { storage } = options;
  const path = typeof storage === 'string' ? storage : undefined;
  const own = typeof storage === 'object' ? storage : undefined;
  const described = settings(options, { ...more, storage_path: path });
  return [described, asked(own), own?.tryLock !== undefined, told(options.onEvent)] as const;
}

const MADE = Symbol('made');

/** A client of AuthKit: of a server, or of an engine in the same process (`AuthKit.client`). */
export class AuthKitClient extends Client {
  readonly #baseUrl: string | undefined;
  #verifier: Promise<TokenVerifier> | undefined;

  /** Makes a client of a server. Nothing is sent yet. */
  constructor(options: AuthKitClientOptions);
  /** @internal */
  constructor(options: { [MADE]: NativeCore });
  constructor(options: AuthKitClientOptions | { [MADE]: NativeCore }) {
    super(new NodeCore(MADE in options ? options[MADE] : connected(options)));
    this.#baseUrl = MADE in options ? undefined : options.baseUrl;
  }

  /** @internal */
  static embedded(engine: NativeEngine, options: EmbeddedClientOptions): AuthKitClient {
    try {
      return new AuthKitClient({ [MADE]: engine.client(...crossing(options)) });
    } catch (thrown) {
      throw AuthKitError.from(thrown);
    }
  }

  /** @internal What verifies tokens by the server's keys; of an engine's client there is none. */
  verifier(): Promise<TokenVerifier> | undefined {
    const baseUrl = this.#baseUrl;
    if (baseUrl === undefined) return undefined;
    this.#verifier ??= this.getDiscovery()
      .then(({ issuer }) => new TokenVerifier({ baseUrl, issuer }))
      .catch((error: unknown) => {
        this.#verifier = undefined;
        throw error;
      });
    return this.#verifier;
  }
}

function connected(options: AuthKitClientOptions): NativeCore {
  const { baseUrl, allowInsecure } = options;
  try {
    return native.connect(...crossing(options, { base_url: baseUrl, allow_insecure: allowInsecure }));
  } catch (thrown) {
    throw AuthKitError.from(thrown);
  }
}
