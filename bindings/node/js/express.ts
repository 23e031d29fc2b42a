import type { IncomingMessage, ServerResponse } from 'node:http';
import { check, refused, type Auth, type Authority, type GuardOptions } from './guard.js';

export type { Auth, Authority, GuardOptions } from './guard.js';

/** A request behind `requireAuth`. */
export interface Authenticated {
  auth?: Auth;
}

/** Middleware for Express, and for whatever takes `(request, response, next)`. `request.auth` says who asks. */
export function requireAuth(authority: Authority, options: GuardOptions = {}) {
  return (request: IncomingMessage & Authenticated, response: ServerResponse, next: (error?: unknown) => void): void => {
    check(authority, request.headers.authorization, options).then(
      (auth) => {
        request.auth = auth;
        next();
      },
      (error: unknown) => {
        const { status, headers, body } = refused(error);
        response.writeHead(status, headers).end(body);
      },
    );
  };
}
