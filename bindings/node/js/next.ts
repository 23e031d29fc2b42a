import { check, refused, type Auth, type Authority, type GuardOptions } from './guard.js';

export type { Auth, Authority, GuardOptions } from './guard.js';

type Handler<C> = (request: Request, context: C & { auth: Auth }) => Response | Promise<Response>;

/** A route handler of Next's `app` folder that only those reach who may: `export const GET = withAuth(auth, handler)`. */
export function withAuth<C extends object = object>(authority: Authority, handler: Handler<C>, options: GuardOptions = {}) {
  return async (request: Request, context?: C): Promise<Response> => {
    let auth: Auth;
    try {
      auth = await check(authority, request.headers.get('authorization'), options);
    } catch (error) {
      return answer(error);
    }
    return handler(request, { ...(context as C), auth });
  };
}

/**
 * For `proxy.ts` (`middleware.ts` before Next 16, with `runtime: 'nodejs'`): answers what is refused, and lets the rest pass. Handlers check again: whoever
 * reaches one without the proxy must not pass either.
 */
export function authProxy(authority: Authority, options: GuardOptions = {}) {
  return async (request: Request): Promise<Response | undefined> => {
    try {
      await check(authority, request.headers.get('authorization'), options);
      return undefined;
    } catch (error) {
      return answer(error);
    }
  };
}

function answer(error: unknown): Response {
  const { status, headers, body } = refused(error);
  return new Response(body, { status, headers });
}
