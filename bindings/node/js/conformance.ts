// For runs of scenarios: an engine whose clock is moved by hand. Production and databases in use are refused.
import { AuthKit, type AuthKitSettings } from './authkit.js';
import { native, typed, type NativeConformance } from './native.js';

export class ConformanceState {
  readonly #state: NativeConformance;
  /** The engine, which stays the same over resets. */
  readonly engine: AuthKit;

  private constructor(state: NativeConformance) {
    this.#state = state;
    this.engine = AuthKit.over(state.engine());
  }

  static open(settings: AuthKitSettings): Promise<ConformanceState> {
    return typed(async () => new ConformanceState(await native.openConformance(JSON.stringify(settings))));
  }

  /** Deletes everything and begins anew. */
  reset(): Promise<{ email: string; password: string }> {
    return typed(async () => JSON.parse(await this.#state.reset()));
  }

  /** Moves the clock, and does what a worker would have done by then. */
  advance(seconds: number): Promise<void> {
    return typed(() => this.#state.advance(seconds));
  }

  /** What the clock shows, in seconds since 1970. */
  now(): number {
    return this.#state.now();
  }
}

/** How many calls could be given up now. */
export const openCalls = (): number => native.openCalls();
