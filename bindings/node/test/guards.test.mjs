// Guards in front of real frameworks.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { AuthKitClient, PASSWORD, baseUrl, control, home, load, signedIn, withEngine, within } from './package.mjs';

const require = createRequire(`${home}/`);
const express = require('express');
const { Hono } = await import(require.resolve('hono').replace('/cjs/', '/'));
const guards = { express: await load('express.js'), hono: await load('hono.js'), next: await load('next.js') };

/** `{name: ask(path, header) -> Response}` for each framework, with `/me` for whoever is signed in and `/admin`. */
async function frameworks(authority, work) {
  const permission = 'users:read';
  const app = express();
  app.get('/me', guards.express.requireAuth(authority), (request, response) => response.json(request.auth));
  app.get('/admin', guards.express.requireAuth(authority, { permission }), (request, response) => response.json(request.auth));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const hono = new Hono();
  hono.get('/me', guards.hono.requireAuth(authority), (c) => c.json(c.get('auth')));
  hono.get('/admin', guards.hono.requireAuth(authority, { permission }), (c) => c.json(c.get('auth')));

  const answer = (request, { auth }) => Response.json(auth);
  const routes = { '/me': guards.next.withAuth(authority, answer), '/admin': guards.next.withAuth(authority, answer, { permission }) };
  const headers = (header) => (header === undefined ? {} : { authorization: header });
  try {
    await work({
      express: (path, header) => fetch(`http://127.0.0.1:${server.address().port}${path}`, { headers: headers(header) }),
      hono: (path, header) => hono.request(path, { headers: headers(header) }),
      next: (path, header) => routes[path](new Request(`http://x${path}`, { headers: headers(header) })),
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** What every guard must do, whoever checks the tokens. */
async function guarded(authority, { admin, user, adminId }) {
  await frameworks(authority, async (all) => {
    for (const [name, ask] of Object.entries(all)) {
      const good = await ask('/me', `Bearer ${user}`);
      assert.equal(good.status, 200, name);
      const told = await good.text();
      assert.ok(told.includes('usr_') && !told.includes(user), 'the token is not among what is printed');
      assert.equal((await (await ask('/admin', `bearer  ${admin}`)).json()).user, adminId, name);

      const refused = async (path, header, status, code, challenge) => {
        const response = await ask(path, header);
        assert.deepEqual([response.status, response.headers.get('www-authenticate')], [status, challenge], `${name} ${path} ${header}`);
        assert.match(response.headers.get('content-type'), /^application\/problem\+json/);
        assert.equal((await response.json()).code, code);
      };
      await refused('/admin', `Bearer ${user}`, 403, 'auth.forbidden', 'Bearer error="insufficient_scope"');
      for (const header of [undefined, '', 'Bearer', 'Bearer ', `Basic ${user}`, user, `Bearer ${user} x`]) {
        await refused('/me', header, 401, 'auth.unauthenticated', 'Bearer');
      }
      for (const token of ['x', `${user}x`, 'a.b.c', 'x'.repeat(9000)]) {
        await refused('/me', `Bearer ${token}`, 401, 'auth.invalid_token', 'Bearer error="invalid_token"');
      }
    }
  });
}

test('an engine guards Express, Hono and Next, and knows at once what has ended', () =>
  withEngine(async (auth) => {
    await auth.createUser({ email: 'ada@example.com', password: PASSWORD });
    const [root, ada] = [auth.client(), auth.client()];
    await root.login({ email: 'root@example.com', password: PASSWORD });
    await ada.login({ email: 'ada@example.com', password: PASSWORD });
    const user = await ada.accessToken();
    await guarded(auth, { admin: await root.accessToken(), user, adminId: (await root.getMe()).id });
    await ada.logout();
    await frameworks(auth, (all) =>
      within(1000, async () => {
        const statuses = await Promise.all(Object.values(all).map(async (ask) => (await ask('/me', `Bearer ${user}`)).status));
        return statuses.every((status) => status === 401);
      }));
  }));

test('a client guards them by the keys of its server', async () => {
  const { client: root, answer } = await signedIn();
  const ada = { email: 'ada@example.com', password: PASSWORD };
  const client = new AuthKitClient({ baseUrl });
  await client.register(ada);
  const [mail] = (await client.listOutbox({ to: ada.email })).data;
  await client.verifyEmail({ token: new URL(mail.links[0]).searchParams.get('token') });
  await client.login(ada);
  const user = await client.accessToken();
  await guarded(new AuthKitClient({ baseUrl }), { admin: answer.access_token, user, adminId: (await root.getMe()).id });
});

test('a token that the server signed, but for no user, opens nothing', async () => {
  const authority = new AuthKitClient({ baseUrl });
  authority.verifier = async () => ({ verify: async () => ({ sub: 'dev_1', tid: 'tnt_1', scope: 'device' }) });
  await frameworks(authority, async (all) => {
    for (const ask of Object.values(all)) assert.equal((await ask('/me', 'Bearer a.b.c')).status, 401);
  });
});

test('what cannot be checked is not let in, and says nothing of why', async () => {
  await control('/conformance/reset');
  const nowhere = new AuthKitClient({ baseUrl: 'http://127.0.0.1:1', retries: 0 });
  await frameworks(nowhere, async (all) => {
    for (const ask of Object.values(all)) {
      const response = await ask('/me', 'Bearer a.b.c');
      assert.equal(response.status, 503);
      assert.ok(Number(response.headers.get('retry-after')) >= 1);
      assert.ok(!(await response.text()).includes('127.0.0.1'));
    }
  });
  await withEngine(async (auth) => {
    await frameworks(auth.client(), async (all) => {
      for (const ask of Object.values(all)) assert.equal((await ask('/me', 'Bearer a.b.c')).status, 500);
    });
  });
});

test("Next's proxy lets pass who may, and answers the others", () =>
  withEngine(async (auth) => {
    const client = auth.client();
    await client.login({ email: 'root@example.com', password: PASSWORD });
    const ask = (authorization) => guards.next.authProxy(auth)(new Request('http://x/', { headers: { authorization } }));
    assert.equal(await ask(`Bearer ${await client.accessToken()}`), undefined);
    assert.equal((await ask('Bearer x')).status, 401);
    let seen;
    const handler = guards.next.withAuth(auth, (request, context) => { seen = context; return new Response(); });
    await handler(new Request('http://x/', { headers: { authorization: `Bearer ${await client.accessToken()}` } }), { params: 7 });
    assert.equal(seen.params, 7);
    assert.equal(seen.auth.accessToken, await client.accessToken());
    assert.ok(!inspect(seen, { depth: 9 }).includes(seen.auth.accessToken));
  }));
