// Verification of access tokens on this side of the network (RFC 7519, RFC 8725, RFC 9068), by WebCrypto.
import { AuthKitError } from './error.js';

/** No token that AuthKit makes is longer, and nothing longer is looked at. */
const MAX_TOKEN = 8 * 1024;
/** How long a set of keys counts, and so how long a revoked key is believed at most. */
const MAX_AGE = 5 * 60_000;
/** The shortest time between two requests for keys: unknown `kid`s, which anybody can make up, cause no more. */
const PAUSE = 10_000;
const MAX_KEYS = 64 * 1024;

/** What a verified access token says (RFC 9068, section 2.2). */
export interface Claims {
  iss: string;
  sub: string;
  aud: string | string[];
  exp: number;
  iat: number;
  nbf?: number;
  [claim: string]: unknown;
}

export interface VerifierOptions {
  /** Where the server is; over https, or on this machine. */
  baseUrl: string;
  /** Who must have issued tokens. Default: the base URL without a slash at its end. */
  issuer?: string;
  /** For whom. Default: `authkit`. */
  audience?: string;
  /** Seconds that clocks may differ by. Default: 30. */
  leeway?: number;
  fetch?: typeof fetch;
  /** Milliseconds since 1970. */
  now?: () => number;
}

type Json = Record<string, unknown>;
type Usage = { kty: string; crv?: string; params: AlgorithmIdentifier | RsaHashedImportParams | EcKeyImportParams; verify: AlgorithmIdentifier | EcdsaParams };
type Key = { alg: string; verify: AlgorithmIdentifier | EcdsaParams; key: CryptoKey };

const ALGORITHMS: Record<string, Usage> = {
  EdDSA: { kty: 'OKP', crv: 'Ed25519', params: { name: 'Ed25519' }, verify: { name: 'Ed25519' } },
  ES256: {
    kty: 'EC',
    crv: 'P-256',
    params: { name: 'ECDSA', namedCurve: 'P-256' },
    verify: { name: 'ECDSA', hash: 'SHA-256' },
  },
  RS256: {
    kty: 'RSA',
    params: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    verify: { name: 'RSASSA-PKCS1-v1_5' },
  },
};

const isTime = (value: unknown): value is number => Number.isFinite(value);

const refused = () =>
  new AuthKitError({
    code: 'auth.invalid_token',
    status: 401,
    message: 'The access token is not valid any more; refresh it or sign in again.',
  });

function decode(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) throw refused();
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    // One spelling only: the last character may not carry bits that are thrown away.
    if (encode(bytes) !== text) throw refused();
    return bytes;
  } catch {
    throw refused();
  }
}

function encode(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function object(bytes: Uint8Array): Json {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw refused();
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw refused();
  return value as Json;
}

function usage(alg: unknown): Usage | undefined {
  return typeof alg === 'string' && Object.hasOwn(ALGORITHMS, alg) ? ALGORITHMS[alg] : undefined;
}

/** A public key that this side would verify with, or null. */
async function usable(jwk: (JsonWebKey & { kid?: unknown }) | null): Promise<Key | null> {
  const algorithm = usage(jwk?.alg);
  if (!algorithm || !jwk?.alg || typeof jwk.kid !== 'string' || jwk.kty !== algorithm.kty) return null;
  if (algorithm.crv && jwk.crv !== algorithm.crv) return null;
  if (jwk.use !== undefined && jwk.use !== 'sig') return null;
  const { kty, crv, x, y, n, e } = jwk;
  const parts = Object.fromEntries(Object.entries({ kty, crv, x, y, n, e }).filter(([, part]) => part !== undefined));
  try {
    const key = await crypto.subtle.importKey('jwk', parts, algorithm.params, false, ['verify']);
    if (kty === 'RSA' && (key.algorithm as RsaHashedKeyAlgorithm).modulusLength < 2048) return null;
    return { alg: jwk.alg, verify: algorithm.verify, key };
  } catch {
    return null;
  }
}

/**
 * Verifies access tokens without asking the server for each: it is asked for its public keys every five minutes at
 * most. A session that was ended counts here until its token runs out; what must be sure of that asks the server.
 */
export class TokenVerifier {
  readonly #url: string;
  readonly #issuer: string;
  readonly #audience: string;
  readonly #leeway: number;
  readonly #fetch: typeof fetch;
  readonly #now: () => number;
  #keys = new Map<string, Key>();
  #readAt = -Infinity;
  #askedAt = -Infinity;
  #asking: Promise<void> | null = null;

  constructor({ baseUrl, issuer, audience = 'authkit', leeway = 30, fetch: fetcher, now = Date.now }: VerifierOptions) {
    const base = URL.canParse(baseUrl) ? new URL(baseUrl) : new URL('none:');
    const loopback = ['localhost', '127.0.0.1', '[::1]'].includes(base.hostname);
    if (base.protocol !== 'https:' && !(base.protocol === 'http:' && loopback)) {
      throw new AuthKitError({
        code: 'client.invalid_argument',
        message: 'Keys are only believed over https, or over http from this machine. Give such a base URL.',
      });
    }
    this.#url = new URL('.well-known/jwks.json', base.href.endsWith('/') ? base : `${base.href}/`).href;
    this.#issuer = issuer ?? base.href.replace(/\/$/, '');
    this.#audience = audience;
    this.#leeway = leeway;
    this.#fetch = fetcher ?? ((...request) => globalThis.fetch(...request));
    this.#now = now;
  }

  /**
   * The claims of a token that counts.
   * @throws {AuthKitError} `auth.invalid_token`, alike for every reason; `client.network` when the keys cannot be read
   */
  async verify(token: string): Promise<Claims> {
    if (typeof token !== 'string' || token.length > MAX_TOKEN) throw refused();
    const [head, body, signature, ...more] = token.split('.');
    if (!head || !body || !signature || more.length > 0) throw refused();
    const header = object(decode(head));
    // RFC 9068, section 2.1: an access token and nothing else. RFC 7515, section 4.1.11: no extension is understood.
    const kind = typeof header.typ === 'string' ? header.typ.toLowerCase() : '';
    if (!['at+jwt', 'application/at+jwt'].includes(kind) || Object.hasOwn(header, 'crit')) throw refused();
    if (typeof header.kid !== 'string' || !usage(header.alg)) throw refused();
    const key = await this.#key(header.kid);
    // RFC 8725, section 3.1: a key is used with its own algorithm only.
    if (!key || key.alg !== header.alg) throw refused();
    const message = new TextEncoder().encode(`${head}.${body}`);
    if (!(await crypto.subtle.verify(key.verify, key.key, decode(signature), message))) throw refused();
    const claims = object(decode(body));
    return this.#checked(claims);
  }

  #checked(claims: Json): Claims {
    const now = this.#now() / 1000;
    const { iss, sub, aud, exp, iat, nbf = iat } = claims;
    const audiences: unknown[] = Array.isArray(aud) ? aud : [aud];
    const genuine =
      iss === this.#issuer &&
      typeof sub === 'string' &&
      audiences.includes(this.#audience) &&
      isTime(exp) &&
      isTime(nbf) &&
      isTime(iat) &&
      now < exp + this.#leeway &&
      Math.max(nbf, iat) <= now + this.#leeway;
    if (!genuine) throw refused();
    return claims as Claims;
  }

  async #key(kid: string): Promise<Key | undefined> {
    const now = this.#now();
    if (now - this.#readAt >= MAX_AGE || now < this.#readAt) {
      this.#keys = new Map();
    }
    const known = this.#keys.get(kid);
    if (known) return known;
    if (!this.#asking) {
      const rested = now - this.#askedAt >= PAUSE || now < this.#askedAt;
      if (!rested) {
        if (this.#keys.size > 0) return undefined;
        throw unreachable();
      }
      this.#askedAt = now;
      this.#asking = this.#read().finally(() => {
        this.#asking = null;
      });
    }
    await this.#asking;
    return this.#keys.get(kid);
  }

  async #read(): Promise<void> {
    let keys: unknown;
    try {
      const response = await this.#fetch(this.#url, {
        headers: { accept: 'application/json' },
        credentials: 'omit',
        redirect: 'error',
        signal: AbortSignal.timeout(10_000),
      });
      if (!response.ok) throw unreachable();
      const text = await response.text();
      if (text.length > MAX_KEYS) throw unreachable();
      ({ keys } = JSON.parse(text) as Json);
    } catch {
      throw unreachable();
    }
    if (!Array.isArray(keys)) throw unreachable();
    const found = new Map<string, Key>();
    for (const jwk of keys) {
      const key = await usable(jwk);
      if (key) found.set(jwk.kid as string, key);
    }
    this.#keys = found;
    this.#readAt = this.#now();
  }
}

const unreachable = () =>
  new AuthKitError({
    code: 'client.network',
    message: 'The keys that verify access tokens cannot be read from the server; try again shortly.',
    retryable: true,
  });
