// Compiled by `tsc --strict`, never run: what the types promise, and what they refuse.
import { AuthKit, AuthKitClient, AuthKitError, TokenVerifier, isMfaRequired, type Principal, type RoleView, type TokensView } from '@authkit/node';
import { requireAuth, type Authenticated } from '@authkit/node/express';
import { requireAuth as guard, type AuthVariables } from '@authkit/node/hono';
import { authProxy, withAuth } from '@authkit/node/next';
import express from 'express';
import { Hono } from 'hono';

export async function promises(): Promise<void> {
  const client = new AuthKitClient({ baseUrl: 'https://id.example.com', storage: '/tmp/x', onEvent: (event) => {
    if (event.type === 'signed_out') event.reason?.code.startsWith('auth.');
    // @ts-expect-error only an end has a reason
    else event.reason;
  } });
  const answer = await client.login({ email: 'a@example.com', password: 'x' });
  const tokens: TokensView = isMfaRequired(answer) ? await client.verifyMfa({ mfa_token: answer.mfa_token, method: 'totp', code: '1' }) : answer;
  tokens.expires_in.toFixed();
  const role: RoleView = await client.createRole({ name: 'x', parent_id: null });
  const same: RoleView = await client.call('getRole', { id: role.id }, { signal: AbortSignal.timeout(5) });
  same.permissions.join();
  for await (const user of client.items('listUsers', { status: 'active' })) user.email.trim();
  (await new TokenVerifier({ baseUrl: 'https://id.example.com' }).verify('t')).sub.trim();
  new AuthKitClient({ baseUrl: 'https://id.example.com', storage: { load: () => null, save() {}, async clear() {} } });

  await using auth = await AuthKit.open({ database: 'sqlite::memory:', tokens: { access: '5m' } });
  const principal: Principal = auth.verify('t', { permission: 'users:read', owner: 'usr_1' });
  principal.permissions.includes('users:read');
  (await auth.client({ tenant: 'acme' }).getMe()).email.trim();
  (await auth.createUser({ email: 'a', password: 'b', roles: ['admin'] })).trim();
  new AuthKitError({ code: 'a.b', message: 'c' }).fields.map((field) => field.detail);

  const app = express();
  app.use(requireAuth(auth, { permission: 'users:read' }));
  app.get('/', requireAuth(client), (request: express.Request & Authenticated, response) => {
    response.json(request.auth?.user.trim());
  });
  const hono = new Hono<{ Variables: AuthVariables }>();
  hono.use(guard(auth));
  hono.get('/', guard(auth), (c) => c.json(c.get('auth').user.trim()));
  const GET: (request: Request, context: { params: Promise<{ id: string }> }) => Promise<Response> =
    withAuth<{ params: Promise<{ id: string }> }>(auth, async (request, { params, auth: { user } }) => Response.json([(await params).id, user, request.url]));
  await GET(new Request('http://x'), { params: Promise.resolve({ id: '1' }) });
  (await authProxy(auth)(new Request('http://x')))?.status.toFixed();
}

export async function refusals(client: AuthKitClient, auth: AuthKit): Promise<void> {
  // @ts-expect-error an argument is missing
  await client.login({ email: 'a@example.com' });
  // @ts-expect-error there is no such argument
  await client.getRole({ id: 'rol_1', name: 'x' });
  // @ts-expect-error there is no such status
  await client.listUsers({ status: 'sleeping' });
  // @ts-expect-error roles have no email
  (await client.getRole({ id: 'rol_1' })).email;
  // @ts-expect-error the address is missing
  new AuthKitClient({});
  // @ts-expect-error the database is missing
  await AuthKit.open({});
  // @ts-expect-error there is no such setting
  await AuthKit.open({ database: 'sqlite::memory:', tokens: { acess: '5m' } });
  // @ts-expect-error there is no such environment
  await AuthKit.open({ database: 'sqlite::memory:', env: 'staging' });
  // @ts-expect-error a password is missing
  await auth.createUser({ email: 'a' });
  // @ts-expect-error this is nothing that checks tokens
  requireAuth({});
  // @ts-expect-error engines are opened
  new AuthKit();
}
