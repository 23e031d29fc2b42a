// The README, run as it stands in the folder where the package is installed.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { baseUrl, control, place, run, AuthKitClient } from './package.mjs';

const text = await readFile(new URL('README.md', place), 'utf8');
const [inside, ofServer, guards, ...more] = [...text.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code);

test('the engine of the README', async () => {
  const { code, out, err } = await run(inside);
  assert.deepEqual([code, out, err], [0, 'true', '']);
});

test('the client of the README', async () => {
  await control('/conformance/reset', { now: new Date().toISOString() });
  const ada = { email: 'ada@example.com', password: 'a quiet orange tram 7' };
  const client = new AuthKitClient({ baseUrl });
  await client.register(ada);
  const [mail] = (await client.listOutbox({ to: ada.email })).data;
  await client.verifyEmail({ token: new URL(mail.links[0]).searchParams.get('token') });
  const { code, out, err } = await run(ofServer.replace('https://id.example.com', baseUrl));
  assert.deepEqual([code, out, err], [0, ada.email, 'signed_in\n']);
});

test('the guards of the README', async () => {
  const { code, out, err } = await run(guards);
  assert.deepEqual([code, out, err], [0, '401 Bearer', '']);
  assert.deepEqual(more, []);
});
