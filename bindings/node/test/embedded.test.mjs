// The engine inside this process.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { AuthKit, AuthKitClient, AuthKitError, CHEAP, PASSWORD, inFolder, openCalls, serving, withEngine, within } from './package.mjs';

const ROOT = { email: 'root@example.com', password: PASSWORD };

test('somebody registers, proves the address and signs in without a server', () =>
  withEngine(async (auth) => {
    const client = auth.client();
    assert.ok(client instanceof AuthKitClient);
    const ada = { email: 'ada@example.com', password: 'a quiet orange tram 7' };
    await client.register(ada);
    let mail;
    await within(5000, async () => ([mail] = (await client.listOutbox({ to: ada.email })).data)[0]);
    await client.verifyEmail({ token: new URL(mail.links[0]).searchParams.get('token') });
    await client.login(ada);
    assert.equal((await client.getMe()).email, ada.email);
    await assert.rejects(client.listUsers(), { code: 'auth.forbidden', status: 403 });
  }));

test('a token is checked at once, with its permissions', () =>
  withEngine(async (auth) => {
    const client = auth.client();
    await client.login(ROOT);
    const token = await client.accessToken();
    const principal = auth.verify(token, { permission: 'users:read' });
    assert.equal(principal.user, (await client.getMe()).id);
    assert.ok(principal.permissions.includes('users:read') && principal.roles[0].startsWith('rol_'));
    assert.ok(principal.expires_at > Date.now() / 1000);
    assert.deepEqual(await auth.authenticate(token), principal);
    assert.throws(() => auth.verify(token, { permission: 'no:such' }), { code: 'auth.forbidden', status: 403 });
    assert.throws(() => auth.verify('x.y.z'), (error) => error instanceof AuthKitError && error.code === 'auth.invalid_token');
    await assert.rejects(auth.authenticate('x.y.z'), { code: 'auth.invalid_token' });
    await client.logout();
    await within(1000, () => auth.authenticate(token).then(() => false, () => true));
    assert.throws(() => auth.verify(token), { code: 'auth.invalid_token' });
  }));

test('engine and server share a database: what is revoked at one is refused at the other within a second', () =>
  inFolder(async (folder) => {
    const database = `sqlite://${folder}/authkit.db`;
    await withEngine((auth) =>
      serving(database, async (url) => {
        const here = auth.client();
        await here.login(ROOT);
        const token = await here.accessToken();
        const there = new AuthKitClient({ baseUrl: url });
        await within(5000, () => there.withToken(token).getMe().then(() => true, () => false));
        await here.logout();
        await within(1000, () => there.withToken(token).getMe().then(() => false, ({ code }) => code === 'auth.invalid_token'));

        await there.login(ROOT);
        const theirs = await there.accessToken();
        assert.equal((await auth.authenticate(theirs)).user, (await there.getMe()).id);
        await there.logout();
        await within(1000, () => {
          try {
            return !auth.verify(theirs);
          } catch (error) {
            return error.code === 'auth.invalid_token';
          }
        });
      }), { database, issuer: 'http://127.0.0.1' });
  }));

test('settings that are refused are named, and no secret is repeated', async () => {
  for (const [settings, named] of [
    [{ database: 'sqlite::memory:', tokens: { acess: '5m' } }, 'tokens.access'],
    [{ database: 'mysql://u:hunter2@h/d' }, 'database_url'],
    [{ database: 'sqlite::memory:', env: 'production' }, 'keys.master'],
    [{}, 'database'],
    [undefined, 'one object'],
    [{ database: 'postgres://u:hunter2@127.0.0.1:1/d' }, '127.0.0.1'],
  ]) {
    const error = await AuthKit.open(settings).catch((thrown) => thrown);
    assert.ok(error instanceof AuthKitError && error.code.startsWith('client.'), inspect(error));
    assert.ok(error.message.includes(named) && !inspect(error).includes('hunter2'), error.message);
  }
});

test('a closed engine has closed its file, and refuses', () =>
  inFolder(async (folder) => {
    const open = async () => {
      const { readlink } = await import('node:fs/promises');
      const files = await Promise.all((await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
      return files.filter((file) => file.startsWith(folder)).length;
    };
    const auth = await AuthKit.open({ ...CHEAP, database: `sqlite://${join(folder, 'a.db')}` });
    const client = auth.client();
    await assert.rejects(client.login(ROOT), { code: 'auth.invalid_credentials' });
    assert.ok((await open()) > 0);
    await auth[Symbol.asyncDispose]();
    assert.equal(await open(), 0);
    await assert.rejects(client.login(ROOT), /closed/);
    await assert.rejects(auth.authenticate('x'), /closed/);
    await auth.close();
  }));

test('a key of the caller is refused where it would promise nothing', () =>
  withEngine(async (auth) => {
    const client = auth.client();
    await client.login(ROOT);
    await assert.rejects(client.createRole({ name: 'a' }, { idempotencyKey: 'k-1' }), { code: 'client.invalid_argument' });
    await client.createRole({ name: 'a' });
    await client.refresh({ idempotencyKey: 'k-1' });
  }));

test('a sign-in that is given up is given up, and nothing is left of it', () =>
  withEngine(async (auth) => {
    const client = auth.client();
    const given = Array.from({ length: 20 }, () => {
      const controller = new AbortController();
      const call = client.login(ROOT, { signal: controller.signal });
      controller.abort();
      return assert.rejects(call, { code: 'client.cancelled' });
    });
    await Promise.all(given);
    assert.equal(openCalls(), 0);
    await client.login(ROOT);
  }, { database: 'sqlite::memory:', argon2: { memory_kib: 19456, iterations: 2 } }));

test('no secret is in what a program prints of an engine', () =>
  withEngine(async (auth) => {
    const shown = `${auth} ${inspect(auth, { depth: 9, showHidden: true })} ${JSON.stringify(auth)}`;
    assert.ok(!shown.includes('hunter2'), shown);
  }, { database: 'sqlite::memory:', operations: { token: 'hunter2-hunter2-hunter2-hunter2' } }));
