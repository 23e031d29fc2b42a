// What the guards of every framework share.
import { AuthKit, type Principal } from './authkit.js';
import { AuthKitClient } from './client.js';
import { AuthKitError, invalidArgument } from './shared/error.js';

/** Who makes a request. */
export interface Auth {
  readonly user: string;
  readonly tenant: string;
  readonly session: string;
  /** The token that was presented, for calls on behalf of its holder. It is not shown when this is printed. */
  readonly accessToken: string;
  /** All that an engine in this process knows; of a client there is nothing more. */
  readonly principal?: Principal;
}

/** What a route asks for. */
export interface GuardOptions {
  /** `resource:action`; without it, being signed in is enough. */
  permission?: string;
}

/**
 * What checks tokens. An engine in this process checks at once and knows what was revoked within a second. A client of a server
 * checks against the server's public keys: a session that has ended counts until its token runs out, fifteen minutes
 * unless it is configured otherwise. A permission is asked of the server in either case, and revocations with it.
 */
export type Authority = AuthKit | AuthKitClient;

/** The outcome of a check. */
export async function check(authority: Authority, header: string | null | undefined, options: GuardOptions): Promise<Auth> {
  const token = bearer(header);
  if (authority instanceof AuthKit) {
    const principal = await authority.authenticate(token, options);
    const { user, tenant, session } = principal;
    return hidden({ user, tenant, session, principal }, token);
  }
  const verifier = await authority.verifier();
  if (!verifier) throw invalidArgument('Guard routes with the engine itself, not with a client of it.');
  const claims = await verifier.verify(token);
  const { sub, sid, tid } = claims;
  // A device's token has no session, and is no user's.
  if (typeof sid !== 'string' || typeof tid !== 'string') throw refusal('auth.invalid_token', 401, 'The access token is no user\'s.');
  if (options.permission !== undefined) {
    const { allowed } = await authority.withToken(token).checkPermission({ permission: options.permission });
    if (!allowed) throw refusal('auth.forbidden', 403, `This needs the permission \`${options.permission}\`.`);
  }
  return hidden({ user: sub, tenant: tid, session: sid }, token);
}

/** RFC 6750, section 2.1: the one place where a token is taken from. */
function bearer(header: string | null | undefined): string {
  const [, token] = /^bearer +([\w~+/.-]+=*) *$/i.exec(header ?? '') ?? [];
  if (!token) throw refusal('auth.unauthenticated', 401, 'Send an access token: `Authorization: Bearer <access token>`.');
  return token;
}

/** The token is there for whoever asks for it, and not in logs. */
function hidden(auth: Omit<Auth, 'accessToken'>, accessToken: string): Auth {
  return Object.defineProperty({ ...auth }, 'accessToken', { value: accessToken, enumerable: false }) as Auth;
}

function refusal(code: string, status: number, message: string): AuthKitError {
  return new AuthKitError({ code, status, message });
}

/** A refusal as HTTP: a problem document (RFC 9457), and what it asks for (RFC 6750, section 3). */
export interface Refusal {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export function refused(thrown: unknown): Refusal {
  const error = AuthKitError.from(thrown);
  // What is no refusal of the token is a failure on this side, and none of the caller's business.
  const known = [401, 403, 503].includes(error.status);
  const status = known ? error.status : error.retryable ? 503 : 500;
  const headers: Record<string, string> = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
  if (status === 401) headers['www-authenticate'] = error.code === 'auth.unauthenticated' ? 'Bearer' : 'Bearer error="invalid_token"';
  if (status === 403) headers['www-authenticate'] = 'Bearer error="insufficient_scope"';
  if (status === 503) headers['retry-after'] = String(Math.max(1, Math.ceil(error.retryAfter ?? 1)));
  const shown = known
    ? { status, code: error.code, detail: error.message }
    : { status, code: status === 503 ? 'server.unavailable' : 'server.internal', detail: 'The token could not be checked.' };
  return { status, headers, body: JSON.stringify(shown) };
}
