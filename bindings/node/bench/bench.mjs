// Side by side in one run: a session check in this process here and in better-auth, what a check costs above a native call
// that does nothing, and a sign-in beside its hash. Prints rows for docs/benchmarks.md. Started by bindings/node/bench/run.sh.
import { createRequire } from 'node:module';
import Database from 'better-sqlite3';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';

const home = process.env.AUTHKIT_NODE_PACKAGE;
const { AuthKit } = await import(`${home}/index.js`);
const native = createRequire(import.meta.url)(process.env.AUTHKIT_NODE_LIBRARY);
const PASSWORD = 'violet tractor 12 umbrella';

/** The median over rounds of the nanoseconds that one call takes. */
function nanoseconds(work, { rounds = 15, times = 20_000 } = {}) {
  const found = [];
  for (let round = 0; round < rounds; round += 1) {
    const started = process.hrtime.bigint();
    for (let i = 0; i < times; i += 1) work();
    found.push(Number(process.hrtime.bigint() - started) / times);
  }
  return found.sort((a, b) => a - b)[rounds >> 1];
}

async function nanosecondsOf(work, { rounds = 15, times = 500 } = {}) {
  const found = [];
  for (let round = 0; round < rounds; round += 1) {
    const started = process.hrtime.bigint();
    for (let i = 0; i < times; i += 1) await work();
    found.push(Number(process.hrtime.bigint() - started) / times);
  }
  return found.sort((a, b) => a - b)[rounds >> 1];
}

/** CPU milliseconds of this whole process for one call. */
async function cpu(work, times) {
  const before = process.cpuUsage();
  for (let i = 0; i < times; i += 1) await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / times;
}

const rows = [];
const row = (what, ours, bound, limit) => {
  const ratio = ours.value / bound.value;
  const ok = ratio <= limit;
  const show = ({ value, unit }) => `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)} ${unit}`;
  rows.push(`| ${what} | ${show(ours)} | ${show(bound)} | ${ratio.toPrecision(3)} × | ≤ ${limit.toPrecision(3)} × | ${ok ? 'yes' : 'NO'} |`);
  if (!ok) process.exitCode = 1;
};

// A session here. The library is the package's own: what it opened through the package is there too.
const auth = await AuthKit.open({ database: 'sqlite::memory:' });
const ada = { email: 'ada@example.com', password: PASSWORD };
await auth.createUser({ ...ada, roles: ['admin'] });
const client = auth.client();
await client.login(ada);
const token = await client.accessToken();

// A session there: its usual set-up, on a database in memory, with the cookie that it set.
const rival = betterAuth({
  database: new Database(':memory:'),
  secret: 'a secret that is long enough for them 0123456789',
  baseURL: 'http://localhost:3000',
  emailAndPassword: { enabled: true },
  logger: { disabled: true },
  telemetry: { enabled: false },
});
await (await getMigrations(rival.options)).runMigrations();
const { headers: set } = await rival.api.signUpEmail({ body: { ...ada, name: 'Ada' }, returnHeaders: true });
const headers = new Headers({ cookie: set.getSetCookie().map((cookie) => cookie.split(';')[0]).join('; ') });
if ((await rival.api.getSession({ headers }))?.user.email !== ada.email) throw new Error('better-auth knows no session');

auth.verify(token);
const check = { value: nanoseconds(() => auth.verify(token)) / 1000, unit: 'µs' };
const theirs = { value: (await nanosecondsOf(() => rival.api.getSession({ headers }))) / 1000, unit: 'µs' };
row("a session check inside Node, beside better-auth 1.7.5's `getSession`", check, theirs, 1 / 20);

const engine = await native.open(JSON.stringify({ database: 'sqlite::memory:' }));
await engine.createUser(JSON.stringify({ ...ada, roles: ['admin'] }));
const core = engine.client('{}', null, false, null);
const answer = JSON.parse(await core.call('login', JSON.stringify(ada), '{}', 0));
const alone = native.checkAlone(engine, answer.access_token, 200_000);
const nothing = nanoseconds(() => native.nothing(token), { times: 100_000 });
row('the same, beside a native call that does nothing and the check alone', check, { value: (alone + nothing) / 1000, unit: 'µs' }, 5);

const times = 40;
await cpu(() => client.login(ada), 5);
const signIn = { value: await cpu(() => client.login(ada), times), unit: 'ms CPU' };
const hash = { value: await cpu(() => native.hashAlone(engine, PASSWORD), times), unit: 'ms CPU' };
row('a sign-in inside Node, beside its password hash', signIn, hash, 1.05);

console.log('| What | AuthKit | Beside it | Ratio | Wanted | Held |\n|---|---|---|---|---|---|');
console.log(rows.join('\n'));
await auth.close();
