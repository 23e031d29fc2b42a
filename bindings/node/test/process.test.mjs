// How processes, workers and clusters begin and end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baseUrl, control, inFolder, rounds, run } from './package.mjs';

const ENDS = `
import { AuthKit, AuthKitClient } from '@authkit/node';
const client = new AuthKitClient({ baseUrl: process.argv[2], onEvent() {}, storage: { load: () => null, save() {}, clear() {} } });
const auth = await AuthKit.open({ database: 'sqlite::memory:', argon2: { memory_kib: 64, iterations: 1 } });
await auth.createUser({ email: 'a@example.com', password: 'violet tractor 12 umbrella' });
await auth.client({ onEvent() {} }).login({ email: 'a@example.com', password: 'violet tractor 12 umbrella' });
await client.getJwks();
console.log('done');
`;

test('a process that ends right after its last call ends cleanly, whatever it left open', async () => {
  await control('/conformance/reset');
  for (let round = 0; round < rounds(10, 200); round += 1) {
    const ended = await run(ENDS, { args: [baseUrl] });
    assert.deepEqual([ended.code, ended.signal, ended.out, ended.err], [0, null, 'done', ''], `round ${round}`);
  }
});

test('so does one that ends in the middle of calls', async () => {
  const now = ENDS.replace("console.log('done');", 'for (let i = 0; i < 20; i += 1) client.getJwks(); auth.authenticate("x").catch(() => {}); process.exit(0);');
  for (let round = 0; round < rounds(5, 100); round += 1) {
    const ended = await run(now, { args: [baseUrl] });
    assert.deepEqual([ended.code, ended.signal, ended.err], [0, null, ''], `round ${round}`);
  }
});

test('an engine that nobody closed gives back what it had taken on: the next one starts at once', () =>
  inFolder(async (folder) => {
    const open = `import { AuthKit } from '@authkit/node';
      const auth = await AuthKit.open({ database: 'sqlite://' + process.argv[2] + '/a.db' });
      const before = performance.now();
      await auth.client().listOutbox();
      console.log(performance.now() - before < 5000);`;
    for (let round = 0; round < 2; round += 1) {
      const { code, out, err } = await run(open, { args: [folder] });
      assert.deepEqual([code, out, err], [0, 'true', '']);
    }
  }));

test('workers have clients and engines of their own, and end when they are told to', async () => {
  const program = `
    import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
    import { AuthKit, AuthKitClient } from '@authkit/node';
    if (isMainThread) {
      const work = () => new Promise((resolve, reject) => {
        const worker = new Worker(new URL(import.meta.url), { workerData: process.argv[2] });
        worker.once('error', reject);
        worker.once('message', (message) => worker.terminate().then(() => resolve(message)));
      });
      const all = await Promise.all(Array.from({ length: 4 }, work));
      const auth = await AuthKit.open({ database: 'sqlite::memory:' });
      console.log(all.join(), (await auth.client().listOutbox()).data.length);
    } else {
      const auth = await AuthKit.open({ database: 'sqlite::memory:', argon2: { memory_kib: 64, iterations: 1 } });
      const client = new AuthKitClient({ baseUrl: workerData, onEvent() {} });
      const keys = (await client.getJwks()).keys.length + (await auth.client().listOutbox()).data.length;
      for (let i = 0; i < 20; i += 1) client.getJwks().catch(() => {});
      parentPort.postMessage(keys);
    }`;
  for (let round = 0; round < rounds(2, 20); round += 1) {
    const { code, signal, out, err } = await run(program, { args: [baseUrl] });
    assert.deepEqual([code, signal, out, err], [0, null, '1,1,1,1 0', '']);
  }
});

test("the processes of Node's cluster share one database", () =>
  inFolder(async (folder) => {
    const program = `
      import cluster from 'node:cluster';
      import { AuthKit } from '@authkit/node';
      const settings = { database: 'sqlite://' + process.argv[2] + '/a.db', argon2: { memory_kib: 64, iterations: 1 } };
      const ada = { email: 'ada@example.com', password: 'violet tractor 12 umbrella' };
      const auth = await AuthKit.open(settings);
      if (cluster.isPrimary) {
        await auth.createUser(ada);
        const mine = auth.client();
        await mine.login(ada);
        const token = await mine.accessToken();
        const workers = Array.from({ length: 3 }, () => cluster.fork());
        const say = (worker, message) => new Promise((resolve) => { worker.once('message', resolve); worker.send(message); });
        await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
        const before = await Promise.all(workers.map((worker) => say(worker, token)));
        await mine.logout();
        await new Promise((resolve) => setTimeout(resolve, 1000));
        const after = await Promise.all(workers.map((worker) => say(worker, token)));
        console.log(before.join(), after.join());
        for (const worker of workers) worker.disconnect();
      } else {
        await auth.client().login(ada);
        process.on('message', (token) => auth.authenticate(token).then(() => process.send('yes'), ({ code }) => process.send(code)));
        process.send('ready');
      }`;
    const { code, out, err } = await run(program, { args: [folder] });
    const no = 'auth.invalid_token';
    assert.deepEqual([code, out, err], [0, `yes,yes,yes ${no},${no},${no}`, '']);
  }));

test('CommonJS loads the package too', async () => {
  const program = `const { AuthKit, AuthKitError } = require('@authkit/node');
    AuthKit.open({}).catch((error) => console.log(error instanceof AuthKitError, error.code));`;
  const { code, out } = await run(program, { name: 'program.cjs' });
  assert.deepEqual([code, out], [0, 'true client.invalid_argument']);
});
