import { check, refused, type Auth, type Authority, type GuardOptions } from './guard.js';

export type { Auth, Authority, GuardOptions } from './guard.js';

/** What `new Hono<{ Variables: AuthVariables }>()` knows of `c.get('auth')`. */
export interface AuthVariables {
  auth: Auth;
}

/** The part of Hono's context that is used. */
interface Context {
  req: { header(name: string): string | undefined };
  set(name: 'auth', auth: Auth): void;
}

/** Middleware for Hono. `c.get('auth')` says who asks. */
export function requireAuth(authority: Authority, options: GuardOptions = {}) {
  return async (context: Context, next: () => Promise<void>): Promise<Response | void> => {
    let auth: Auth;
    try {
      auth = await check(authority, context.req.header('authorization'), options);
    } catch (error) {
      const { status, headers, body } = refused(error);
      return new Response(body, { status, headers });
    }
    context.set('auth', auth);
    await next();
  };
}
