import type { AuthKitEvent, ClientOptions, TokenStorage } from './core.js';
import { AuthKitError } from './error.js';

/** The settings of a client as native layers read them. */
export function settings({ tenant, timeout, retries }: ClientOptions, more: object = {}): string {
  return JSON.stringify({ ...more, tenant, timeout_ms: timeout, retries });
}

/** The storage as native layers ask it: tokens are JSON. */
export function storageInJson(storage: TokenStorage | undefined): object | undefined {
  if (!storage) return undefined;
  const asked = {
    load: async () => {
      const tokens = await storage.load();
      return tokens ? JSON.stringify(tokens) : null;
    },
    save: async (tokens: string) => storage.save(JSON.parse(tokens)),
    clear: async () => storage.clear(),
  };
  return storage.tryLock ? { ...asked, tryLock: async () => storage.tryLock?.() ?? null } : asked;
}

/** The handler as native layers call it. */
export function eventsInJson(handler: ClientOptions['onEvent']): ((type: string, reason: string | null) => void) | undefined {
  return handler && ((type, reason) => handler(eventOf(type, reason)));
}

function eventOf(type: string, reason: string | null): AuthKitEvent {
  if (type === 'signed_out') return { type, reason: reason === null ? null : AuthKitError.from(reason) };
  return { type: type as 'signed_in' | 'refreshed' };
}
