// Storages and handlers as the native layer calls them: from its own threads, when JavaScript has time.
import { native, type Ask, type Tell } from './native.js';
import type { ClientOptions, TokenStorage } from './shared/core.js';
import { eventsInJson, storageInJson } from './shared/crossing.js';

type InJson = {
  load(): Promise<string | null>;
  save(tokens: string): Promise<void>;
  clear(): Promise<void>;
  tryLock?(): Promise<(() => void) | null>;
};

/** Answers the native layer's questions to a storage. */
export function asked(storage: TokenStorage | undefined): Ask | null {
  const inJson = storageInJson(storage) as InJson | undefined;
  if (!inJson) return null;
  const releases = new Map<string, () => void>();
  let locks = 0;
  const run = async (method: string, argument: string | null): Promise<string | null> => {
    switch (method) {
      case 'load':
        return inJson.load();
      case 'save':
        await inJson.save(argument ?? '');
        return null;
      case 'clear':
        await inJson.clear();
        return null;
      case 'tryLock': {
        const release = await inJson.tryLock?.();
        if (!release) return null;
        const name = String((locks += 1));
        releases.set(name, release);
        return name;
      }
      default: {
        const release = releases.get(argument ?? '');
        releases.delete(argument ?? '');
        release?.();
        return null;
      }
    }
  };
  return (number, method, argument) => {
    // What a storage throws may quote the tokens: that it threw is all that goes on.
    run(method, argument).then(
      (text) => native.answer(number, false, text),
      () => native.answer(number, true, null),
    );
  };
}

/** Tells the handler; what it throws is its own affair. */
export function told(handler: ClientOptions['onEvent']): Tell | null {
  const tell = eventsInJson(handler);
  if (!tell) return null;
  return (type, reason) => {
    try {
      tell(type, reason);
    } catch {
      // The call that caused the event goes on.
    }
  };
}
