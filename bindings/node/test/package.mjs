// Where the package lies, installed, and what tests start beside it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

/** The folder that the package is installed in, as scripts/test-node.sh makes it. */
export const home = process.env.AUTHKIT_NODE_HOME;
export const place = pathToFileURL(`${home}/node_modules/@authkit/node/`);
export const load = (name) => import(new URL(name, place).href);
export const installed = (name) => import(import.meta.resolve ? pathToFileURL(`${home}/node_modules/${name}`).href : name);

export const { AuthKit, AuthKitClient, AuthKitError, TokenVerifier } = await load('index.js');
export const { ConformanceState, openCalls } = await load('conformance.js');

export const baseUrl = process.env.AUTHKIT_CONFORMANCE_URL;
export const PASSWORD = 'violet tractor 12 umbrella';
/** Hashes that cost nothing. */
export const CHEAP = { argon2: { memory_kib: 64, iterations: 1 } };
/** How often a case repeats. */
export const rounds = (bounded, full) => (process.env.AUTHKIT_SOAK ? full : bounded);

export async function control(path, body = {}) {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(new URL(path, baseUrl), { method: 'POST', headers, body: JSON.stringify(body) });
  return response.json();
}

/** A fresh state at the server, and a client that is signed in to it. */
export async function signedIn(options = {}) {
  const { email, password } = await control('/conformance/reset', { now: new Date().toISOString() });
  const client = new AuthKitClient({ baseUrl, ...options });
  return { client, email, password, answer: await client.login({ email, password }) };
}

/** A folder for as long as the work takes. */
export async function inFolder(work) {
  const folder = await mkdtemp(join(tmpdir(), 'authkit-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** An engine with one administrator, for as long as the work takes. */
export async function withEngine(work, settings = { database: 'sqlite::memory:' }) {
  const engine = await AuthKit.open({ ...CHEAP, ...settings });
  try {
    await engine.createUser({ email: 'root@example.com', password: PASSWORD, roles: ['admin'] });
    return await work(engine);
  } finally {
    await engine.close();
  }
}

/** A server that answers as `handle` says. */
export async function against(handle, work) {
  const server = createServer(handle);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await work(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** The real server over a database, for as long as the work takes. */
export async function serving(database, work) {
  const env = {
    PATH: process.env.PATH, AUTHKIT_DATABASE_URL: database, AUTHKIT_LISTEN: '127.0.0.1:0', AUTHKIT_ISSUER: 'http://127.0.0.1',
    AUTHKIT_ARGON2__MEMORY_KIB: '64', AUTHKIT_ARGON2__ITERATIONS: '1', AUTHKIT_RATE_LIMITS__ENABLED: 'false',
  };
  const server = spawn(process.env.AUTHKIT_SERVER, ['serve'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    for await (const line of createInterface(server.stdout)) {
      const [, url] = /listening on (http[^\s\x1b]+)/.exec(line) ?? [];
      if (url) {
        server.stdout.resume();
        return await work(url.replace(/\/$/, ''));
      }
    }
    throw new Error('the server ended');
  } finally {
    server.kill();
    if (server.exitCode === null) await once(server, 'exit');
  }
}

/** Waits until `holds` does, and fails when it takes longer than that many milliseconds. */
export async function within(milliseconds, holds) {
  const until = performance.now() + milliseconds;
  while (!(await holds())) {
    if (performance.now() > until) throw new Error(`not within ${milliseconds} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Runs a program beside the package, as its user would; what it printed, and how it ended. */
export async function run(code, { name = 'program.mjs', args = [], env = {}, timeout = 60_000 } = {}) {
  const { writeFile } = await import('node:fs/promises');
  const folder = await mkdtemp(join(home, 'run-'));
  try {
    await writeFile(join(folder, name), code);
    const child = spawn(process.execPath, [join(folder, name), ...args], { cwd: folder, env: { ...process.env, ...env }, timeout });
    let [out, err] = ['', ''];
    child.stdout.on('data', (part) => (out += part));
    child.stderr.on('data', (part) => (err += part));
    const [code_, signal] = await once(child, 'close');
    return { code: code_, signal, out: out.trim(), err };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
