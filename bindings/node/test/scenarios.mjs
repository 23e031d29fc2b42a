// Plays tests/scenarios with the package, over HTTP and with the engine inside, and prints one record for each.
import { play, read, serverPlace } from '../../../tests/runners/javascript/run.mjs';

const { AuthKitClient } = await import(`${process.env.AUTHKIT_NODE_PACKAGE}/index.js`);
const { ConformanceState } = await import(`${process.env.AUTHKIT_NODE_PACKAGE}/conformance.js`);
const scenarios = await read(new URL('../../../tests/scenarios/', import.meta.url));

const url = process.env.AUTHKIT_CONFORMANCE_URL;
const http = serverPlace({ language: 'node', mode: 'client, HTTP', url, make: (options) => new AuthKitClient(options) });

const state = await ConformanceState.open({ database: 'sqlite::memory:', argon2: { memory_kib: 64, iterations: 1 } });
const embedded = {
  language: 'node',
  mode: 'embedded, SQLite',
  offers: [],
  reset: () => state.reset(),
  client: ({ tenant }) => state.engine.client({ tenant }),
  outbox: async ({ to }) => {
    // Delivers what waits, which the server does by itself when it is asked.
    await state.advance(0);
    return (await state.engine.client().listOutbox({ to })).data;
  },
  advance: (seconds) => state.advance(seconds),
  now: async () => state.now(),
  close: () => state.engine.close(),
};

for (const place of [http, embedded]) {
  for (const record of await play(place, scenarios)) console.log(JSON.stringify(record));
}
