import type { Core } from './core.js';
import { AuthKitError, invalidArgument } from './error.js';
import { OPERATIONS, type CallOptions, type MfaMethod, type MfaRequiredView, type Operations, type Paged, type TokensView } from './operations.js';

type Name = keyof Operations;
type Arguments<N extends Name> = NonNullable<Parameters<Operations[N]>[0]>;
type Result<N extends Name> = Awaited<ReturnType<Operations[N]>>;
type Page<N extends keyof Paged> = { data: Paged[N][]; next_cursor: string | null };

/** Those whose methods are shaped by hand below. */
type Shaped = 'refresh' | 'logout' | 'verifyMfa';

/**
 * A client, and one session at most. Every operation of the contract is a method: path, query and body stand side by side
 * in its argument. `login` and `verifyMfa` keep the tokens, calls renew them by themselves, `logout` drops them.
 */
export interface Client extends Omit<Operations, Shaped> {}

export class Client {
  readonly #core: Core;

  /** @internal */
  constructor(core: Core) {
    this.#core = core;
  }

  /** Calls an operation by its name. */
  async call<N extends Name>(operation: N, args?: Arguments<N>, options?: CallOptions): Promise<Result<N>>;
  async call(operation: string, args?: object, options?: CallOptions): Promise<unknown>;
  async call(operation: string, args: object = {}, options: CallOptions = {}): Promise<unknown> {
    const { signal, idempotencyKey, timeout } = options;
    if (signal?.aborted) throw cancelled();
    const given = JSON.stringify({ idempotency_key: idempotencyKey, timeout_ms: timeout });
    try {
      if (!signal) return read(await this.#core.call(operation, write(args), given));
      return await abortable(signal, async (aborted) => read(await this.#core.call(operation, write(args), given, aborted)));
    } catch (thrown) {
      throw AuthKitError.from(thrown);
    }
  }

  /** Answers the second factor that `login` asked for. The client keeps the tokens. */
  verifyMfa(answer: { mfa_token: string; method: MfaMethod; code: string }, options?: CallOptions): Promise<TokensView> {
    return this.call('verifyMfa', answer, options);
  }

  /** Renews the tokens now. There is no need to: calls do it in time by themselves. A refusal signs out. */
  refresh(options?: CallOptions): Promise<TokensView> {
    return this.call('refresh', {} as Arguments<'refresh'>, options);
  }

  /** Signs out. The tokens are gone from here in any case, even when the server did not hear of it. */
  async logout(options?: CallOptions): Promise<void> {
    await this.call('logout', {}, options);
  }

  /** An access token that counts for a while yet, for calls of other services. */
  accessToken(): Promise<string> {
    return this.#core.accessToken().catch(rethrow);
  }

  /** Whether there are tokens. Whether they count, the next call finds out. */
  isSignedIn(): Promise<boolean> {
    return this.#core.isSignedIn().catch(rethrow);
  }

  /** The same client for somebody else: it presents this access token, never refreshes, and leaves this session alone. */
  withToken(accessToken: string): Client {
    return new Client(this.#core.withBearer(accessToken));
  }

  /** A list, page after page. */
  async *pages<N extends keyof Paged>(operation: N, args?: Arguments<N>, options?: CallOptions): AsyncGenerator<Page<N>, void, void> {
    let cursor: string | null = null;
    do {
      const next: object = cursor === null ? { ...args } : { ...args, cursor };
      const page = (await this.call(operation as string, next, options)) as Page<N>;
      yield page;
      if (page.next_cursor !== null && page.next_cursor === cursor) {
        throw new AuthKitError({ code: 'client.unexpected_answer', message: 'The list does not go on: the server names the same page again.' });
      }
      cursor = page.next_cursor;
    } while (cursor !== null);
  }

  /** Every item of a list. */
  async *items<N extends keyof Paged>(operation: N, args?: Arguments<N>, options?: CallOptions): AsyncGenerator<Paged[N], void, void> {
    for await (const page of this.pages(operation, args, options)) yield* page.data;
  }

  /** Without tokens, whoever prints it. */
  toJSON(): object {
    return {};
  }
}

for (const name of OPERATIONS) {
  if (Object.hasOwn(Client.prototype, name)) continue;
  Object.defineProperty(Client.prototype, name, {
    value: { [name](this: Client, args?: object, options?: CallOptions) { return this.call(name as string, args, options); } }[name],
    configurable: true,
    writable: true,
  });
}

/** Whether a right password was not enough: `verifyMfa` comes next. */
export function isMfaRequired(answer: TokensView | MfaRequiredView): answer is MfaRequiredView {
  return 'mfa_token' in answer;
}

function write(args: object): string {
  try {
    return JSON.stringify(args);
  } catch {
    throw invalidArgument('The arguments cannot be written as JSON.');
  }
}

function read(answer: string): unknown {
  return JSON.parse(answer);
}

function rethrow(thrown: unknown): never {
  throw AuthKitError.from(thrown);
}

function cancelled(): AuthKitError {
  return new AuthKitError({ code: 'client.cancelled', message: 'The call was cancelled before it was sent.' });
}

/** Runs `work` with a promise that resolves with `true` when it is to stop, and with `false` when it has ended. */
async function abortable<T>(signal: AbortSignal, work: (aborted: Promise<boolean>) => Promise<T>): Promise<T> {
  let settle: (aborted: boolean) => void = () => {};
  const aborted = new Promise<boolean>((resolve) => {
    settle = resolve;
  });
  const stop = () => settle(true);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await work(aborted);
  } finally {
    signal.removeEventListener('abort', stop);
    settle(false);
  }
}
