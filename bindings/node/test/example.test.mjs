// The Express example, started with its one command beside the installed package.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { AuthKit, PASSWORD, home, inFolder, within } from './package.mjs';

test('the example serves accounts from its own process', () =>
  inFolder(async (data) => {
    const folder = join(home, 'example');
    await cp(fileURLToPath(new URL('../examples/express', import.meta.url)), folder, { recursive: true });
    const database = `sqlite://${data}/a.db`;
    const env = { ...process.env, PORT: '0', DATABASE: database };
    const example = spawn('npm', ['start', '--silent'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    try {
      let url;
      for await (const line of createInterface(example.stdout)) {
        [, url] = /listening on (\S+)/.exec(line) ?? [];
        if (url) break;
      }
      const ask = async (path, body, token) => {
        const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
        const response = await fetch(url + path, body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers });
        return { status: response.status, body: await response.json() };
      };
      const ada = { email: 'ada@example.com', password: PASSWORD };
      assert.equal((await ask('/register', ada)).status, 200);
      assert.deepEqual((({ status, body }) => [status, body.code])(await ask('/login', ada)), [401, 'auth.invalid_credentials']);
      // The same database from here, where the mail can be read and an administrator be made.
      const auth = await AuthKit.open({ database });
      let mail;
      await within(5000, async () => ([mail] = (await auth.client().listOutbox({ to: ada.email })).data)[0]);
      await auth.createUser({ email: 'root@example.com', password: PASSWORD, roles: ['admin'] });
      await ask('/verify', { token: new URL(mail.links[0]).searchParams.get('token') });
      const { access_token: token } = (await ask('/login', ada)).body;
      assert.equal((await ask('/me', null, token)).body.email, ada.email);
      assert.equal((await ask('/me')).status, 401);
      assert.equal((await ask('/users', null, token)).status, 403);
      const root = (await ask('/login', { email: 'root@example.com', password: PASSWORD })).body.access_token;
      assert.equal((await ask('/users', null, root)).body.data.length, 2);
      assert.equal((await ask('/register', { email: 5 })).status, 422);
      await auth.close();
    } finally {
      process.kill(-example.pid, 'SIGTERM');
      if (example.exitCode === null) await once(example, 'exit');
    }
  }));
