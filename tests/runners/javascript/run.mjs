// The JavaScript runner of tests/scenarios, for every package that is used from JavaScript.

/**
 * Where scenarios are played: `{language, mode, offers, reset(), client({tenant}), outbox({to}), advance(seconds),
 * now(), close?()}`. `reset` makes a fresh state and answers the administrator's `{email, password}`; `client` makes an
 * independent client with `call(operation, args, {idempotencyKey})`, whose errors have `code`, `status` and `fields`;
 * `now` is the state's time in seconds since 1970.
 *
 * Plays `scenarios`, by their names, and answers one record for each.
 */
export async function play(place, scenarios) {
  const records = [];
  for (const [name, scenario] of Object.entries(scenarios)) {
    const record = { language: place.language, mode: place.mode, scenario: name };
    const missing = (scenario.needs ?? []).find((need) => !place.offers.includes(need));
    const left = scenario.skip?.[place.language] ?? (missing && `needs ${missing}`);
    records.push({ ...record, ...(left ? { outcome: 'skipped', reason: left } : await run(place, scenario)) });
  }
  await place.close?.();
  return records;
}

/** All scenarios of a folder, by their names. */
export async function read(folder) {
  const { readFile, readdir } = await import('node:fs/promises');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  const one = async (file) => [file.slice(0, -'.json'.length), JSON.parse(await readFile(new URL(file, folder), 'utf8'))];
  return Object.fromEntries(await Promise.all(files.map(one)));
}

/** A place at a server in conformance mode, for clients that `make({baseUrl, tenant})` makes. */
export function serverPlace({ language, mode, url, make, offers = ['http'] }) {
  const control = async (method, path, body) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(new URL(path, url), { method, headers, body: body && JSON.stringify(body) });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  return {
    language,
    mode,
    offers,
    reset: () => control('POST', '/conformance/reset', {}),
    client: ({ tenant }) => make({ baseUrl: url, tenant }),
    outbox: async ({ to }) => (await control('GET', `/v1/dev/outbox?to=${encodeURIComponent(to)}`)).data,
    advance: (seconds) => control('POST', '/conformance/clock', { advance: seconds }),
    now: async () => (await control('GET', '/conformance/clock')).unix,
  };
}

async function run(place, scenario) {
  const saved = new Map();
  const clients = new Map();
  try {
    const administrator = await place.reset();
    for (const [index, step] of scenario.steps.entries()) {
      try {
        await take(place, step, { saved, clients, administrator });
      } catch (error) {
        throw new Error(`step ${index + 1}: ${error.message}`);
      }
    }
    return { outcome: 'passed', reason: null };
  } catch (error) {
    return { outcome: 'failed', reason: error.message };
  }
}

async function take(place, step, state) {
  for (const { value, error } of await perform(place, step, state)) {
    if (error && !step.fails) throw new Error(`it fails: ${error.code ?? ''} ${error.message}`);
    if (!error && step.fails) throw new Error(`it succeeds: ${JSON.stringify(value)}`);
    const result = error ? { code: error.code, status: error.status, fields: error.fields } : value;
    if (step.fails) compare(fill(step.fails, state.saved), result, 'error');
    if (step.expect !== undefined) compare(fill(step.expect, state.saved), result, 'result');
    for (const [name, path] of Object.entries(step.save ?? {})) {
      const found = path.split('.').reduce((inner, part) => inner?.[part], result);
      if (typeof found !== 'string') throw new Error(`no text at \`${path}\` of ${JSON.stringify(result)}`);
      state.saved.set(name, found);
    }
  }
}

/** What the step results in, once for each time that it is done. */
async function perform(place, step, state) {
  if (step.as && step.call) {
    const client = await named(place, step, state);
    const settled = await Promise.allSettled(
      Array.from({ length: step.times ?? 1 }, () =>
        client.call(step.call, fill(step.with ?? {}, state.saved), { idempotencyKey: step.key }),
      ),
    );
    return settled.map(({ status, value, reason }) => (status === 'fulfilled' ? { value: value ?? null } : { error: reason }));
  }
  if (step.mail) {
    const { to, kind } = step.mail;
    const mails = await place.outbox({ to });
    const mail = mails.find((found) => found.kind === kind);
    if (!mail) throw new Error(`no mail ${kind} to ${to}, only ${mails.map((found) => found.kind).join(', ') || 'none'}`);
    const link = mail.links.find((found) => found.includes('token='));
    return [{ value: { token: link?.split('token=')[1].split('&')[0], subject: mail.subject } }];
  }
  if (step.advance !== undefined) {
    await place.advance(step.advance);
    return [{ value: {} }];
  }
  if (step.totp) return [{ value: { code: await totp(fill(step.totp.secret, state.saved), await place.now()) } }];
  throw new Error('there is no such step');
}

/** The client of that name, made when it is first named. */
async function named(place, step, { clients, administrator }) {
  if (!clients.has(step.as)) {
    const client = await place.client({ tenant: step.tenant });
    if (step.as === 'admin') {
      await client.call('login', { email: administrator.email, password: administrator.password }, {});
    }
    clients.set(step.as, client);
  }
  return clients.get(step.as);
}

/** `value` with what was saved in the place of `${name}`. */
function fill(value, saved) {
  if (typeof value === 'string') {
    return value.replaceAll(/\$\{([^}]*)\}/g, (_, name) => {
      if (!saved.has(name)) throw new Error(`\`${name}\` was not saved`);
      return saved.get(name);
    });
  }
  if (Array.isArray(value)) return value.map((item) => fill(item, saved));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, fill(inner, saved)]));
}

/** Whether `found` has the parts that `wanted` names. */
function compare(wanted, found, at) {
  const wrong = () => new Error(`${at} is ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
  if (wanted === '*') {
    if (found === null || found === undefined) throw wrong();
  } else if (Array.isArray(wanted)) {
    if (!Array.isArray(found) || found.length !== wanted.length) throw wrong();
    wanted.forEach((item, index) => compare(item, found[index], `${at}.${index}`));
  } else if (wanted !== null && typeof wanted === 'object') {
    if (found === null || typeof found !== 'object' || Array.isArray(found)) throw wrong();
    for (const [name, part] of Object.entries(wanted)) {
      if (!Object.hasOwn(found, name)) throw new Error(`${at}.${name} is not there: ${JSON.stringify(found)}`);
      compare(part, found[name], `${at}.${name}`);
    }
  } else if (wanted !== found) {
    throw wrong();
  }
}

/** The one-time password of a base32 secret (RFC 6238 over HMAC-SHA-1, six digits, 30 seconds). */
async function totp(secret, unix) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret.replaceAll(/[ =]/g, '')].map((digit) => alphabet.indexOf(digit).toString(2).padStart(5, '0'));
  const bytes = bits.join('').match(/.{8}/g).map((byte) => Number.parseInt(byte, 2));
  const algorithm = { name: 'HMAC', hash: 'SHA-1' };
  const key = await crypto.subtle.importKey('raw', Uint8Array.from(bytes), algorithm, false, ['sign']);
  const step = new DataView(new ArrayBuffer(8));
  step.setBigUint64(0, BigInt(Math.floor(unix / 30)));
  const digest = new DataView(await crypto.subtle.sign('HMAC', key, step.buffer));
  const number = digest.getUint32(digest.getUint8(19) & 0x0f) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}
