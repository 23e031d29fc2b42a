// The client over HTTP, against a real server in conformance mode and against servers that misbehave.
import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { AuthKitClient, AuthKitError, TokenVerifier, against, baseUrl, control, inFolder, openCalls, signedIn, within } from './package.mjs';

test('a session lasts beyond its access token, and ten calls renew it once', async () => {
  const events = [];
  const { client, email } = await signedIn({ onEvent: ({ type }) => events.push(type) });
  await control('/conformance/clock', { advance: 901 + 30 });
  const all = await Promise.all(Array.from({ length: 10 }, () => client.getMe()));
  assert.ok(all.every((me) => me.email === email));
  await client.logout();
  await within(1000, () => events.length === 3);
  assert.deepEqual(events, ['signed_in', 'refreshed', 'signed_out']);
  await assert.rejects(client.getMe(), { code: 'client.signed_out', status: 0 });
});

test('a refusal of the session signs out once, with its reason', async () => {
  const events = [];
  const { client } = await signedIn({ onEvent: (event) => events.push(event) });
  await control('/conformance/reset');
  await Promise.allSettled([client.refresh(), client.refresh()]);
  await within(1000, () => events.length > 1);
  assert.equal(events.filter(({ type }) => type === 'signed_out').length, 1);
  assert.equal(events[1].reason.code, 'auth.invalid_refresh_token');
  assert.ok(events[1].reason instanceof AuthKitError);
});

test('tokens live in a storage of JavaScript, and what it throws is not repeated', async () => {
  let kept = null;
  const storage = { load: async () => kept, save: async (tokens) => { kept = tokens; }, clear: () => { kept = null; } };
  const { answer } = await signedIn({ storage });
  assert.equal(kept.refresh_token, answer.refresh_token);
  const another = new AuthKitClient({ baseUrl, storage });
  assert.equal(await another.isSignedIn(), true);
  await another.getMe();
  await another.logout();
  assert.equal(kept, null);
  for (const load of [() => { throw new Error('akr_secret'); }, async () => { throw new Error('akr_secret'); }, () => ({ nonsense: 'akr_secret' })]) {
    const error = await new AuthKitClient({ baseUrl, storage: { ...storage, load } }).getMe().catch((thrown) => thrown);
    assert.equal(error.code, 'client.storage');
    assert.ok(!inspect(error, { depth: 9, showHidden: true }).includes('akr_secret'));
  }
});

test('a shared storage is locked while tokens are renewed', async () => {
  let kept = null;
  const log = [];
  const storage = {
    load: () => kept,
    save: (tokens) => { log.push('save'); kept = tokens; },
    clear: () => { kept = null; },
    tryLock: () => { log.push('lock'); return () => log.push('unlock'); },
  };
  const { client } = await signedIn({ storage });
  await within(1000, () => log.at(-1) === 'unlock');
  log.length = 0;
  await client.refresh();
  await within(1000, () => log.length === 4);
  assert.deepEqual(log, ['lock', 'save', 'save', 'unlock']);
});

test('tokens live in a file that only its owner reads', () =>
  inFolder(async (folder) => {
    const storage = join(folder, 'session.json');
    const { client, answer, email } = await signedIn({ storage });
    assert.equal((await stat(storage)).mode & 0o777, 0o600);
    assert.equal(JSON.parse(await readFile(storage, 'utf8')).refresh_token, answer.refresh_token);
    assert.equal((await new AuthKitClient({ baseUrl, storage }).getMe()).email, email);
    await client.logout();
    await assert.rejects(stat(storage), { code: 'ENOENT' });
  }));

test('no secret is in what a program prints of clients, errors and answers of guards', async () => {
  const { client, password, email, answer } = await signedIn();
  const wrong = await client.login({ email, password: 'not-the-password' }).catch((error) => error);
  assert.deepEqual([wrong.code, wrong.status, wrong.retryable, wrong instanceof AuthKitError], ['auth.invalid_credentials', 401, false, true]);
  const shown = (value) => `${value} ${inspect(value, { depth: 9, showHidden: true })} ${JSON.stringify(value)}`;
  const seen = [client, client.withToken(answer.access_token), wrong].map(shown).join();
  for (const secret of [password, 'not-the-password', answer.access_token, answer.refresh_token]) assert.ok(!seen.includes(secret));
});

test('an error says which argument was refused', async () => {
  const { client } = await signedIn();
  const error = await client.createRole({ name: 5 }).catch((thrown) => thrown);
  assert.deepEqual([error.status, error.fields[0].field, typeof error.traceId], [422, 'name', 'string']);
});

test('a call that is given up ends at once, reaches its server no further and leaves nothing behind', async () => {
  let closed = 0;
  await against((request, response) => { response.on('close', () => (closed += 1)); }, async (url) => {
    const client = new AuthKitClient({ baseUrl: url });
    const calls = Array.from({ length: 50 }, async () => {
      const signal = AbortSignal.timeout(50);
      await assert.rejects(client.register({ email: 'a@example.com', password: 'x' }, { signal }), { code: 'client.cancelled' });
    });
    await Promise.all(calls);
    await within(2000, () => closed === 50);
    await assert.rejects(client.getJwks({}, { signal: AbortSignal.abort() }), { code: 'client.cancelled' });
    await assert.rejects(client.getJwks({}, { timeout: 50 }), { code: 'client.timeout', retryable: true });
  });
  const controller = new AbortController();
  const { client } = await signedIn();
  await client.getMe({}, { signal: controller.signal });
  controller.abort();
  assert.equal((await client.getMe()).email.includes('@'), true, 'a call that has ended cannot be given up');
  assert.equal(openCalls(), 0);
});

test('a read is repeated, obeying the server, and an answer of nobody is told apart', async () => {
  let asked = 0;
  await against((request, response) => {
    asked += 1;
    response.statusCode = asked < 3 ? 503 : 200;
    response.end('{"keys": []}');
  }, async (url) => {
    assert.deepEqual(await new AuthKitClient({ baseUrl: url }).getJwks(), { keys: [] });
    assert.equal(asked, 3);
  });
  const nobody = (answer) => against(answer, (url) =>
    assert.rejects(new AuthKitClient({ baseUrl: url, retries: 0 }).getJwks(), { code: 'client.unexpected_answer' }));
  await nobody((request, response) => response.end('<html>'));
  await nobody((request, response) => response.writeHead(302, { location: 'https://evil.example' }).end());
  const nowhere = new AuthKitClient({ baseUrl: 'http://127.0.0.1:1', retries: 0 });
  await assert.rejects(nowhere.getJwks(), { code: 'client.network', retryable: true });
});

test('what cannot be used is refused before anything is sent', async () => {
  for (const options of [{}, { baseUrl: 'http://id.example' }, { baseUrl: 'ftp://localhost' }, { baseUrl, tenant: 'a b' }, { baseUrl, retries: -1 }]) {
    assert.throws(() => new AuthKitClient(options), (error) => error instanceof AuthKitError && error.code === 'client.invalid_argument');
  }
  const client = new AuthKitClient({ baseUrl });
  await assert.rejects(client.call('getJwks', []), { code: 'client.invalid_argument' });
  await assert.rejects(client.call('noSuchThing'), { code: 'client.invalid_argument' });
  await assert.rejects(client.withToken('a\nb').getMe(), { code: 'client.invalid_argument' });
  await assert.rejects(client.withToken('t').getRole({ id: '..' }), { code: 'client.invalid_argument' });
});

test('access tokens are verified by the published keys alone', async () => {
  const { client } = await signedIn();
  const { issuer } = await client.getDiscovery();
  const verifier = new TokenVerifier({ baseUrl, issuer });
  assert.equal((await verifier.verify(await client.accessToken())).sub, (await client.getMe()).id);
  await assert.rejects(verifier.verify(`${await client.accessToken()}x`), { code: 'auth.invalid_token' });
});

test('lists are walked page by page', async () => {
  const { client } = await signedIn();
  for (const name of ['a', 'b', 'c']) await client.createRole({ name });
  const names = [];
  for await (const role of client.items('listRoles', { limit: 2 })) names.push(role.name);
  assert.deepEqual(['a', 'b', 'c'].filter((name) => names.includes(name)), ['a', 'b', 'c']);
});
