// The native layer: its functions, and where it lies.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Core } from './shared/core.js';
import { AuthKitError } from './shared/error.js';

/** A storage's question: `answer` brings what the method results in. */
export type Ask = (number: number, method: string, argument: string | null) => void;
export type Tell = (type: string, reason: string | null) => void;

export interface NativeCore {
  call(operation: string, args: string, options: string, number: number): Promise<string>;
  accessToken(): Promise<string>;
  isSignedIn(): Promise<boolean>;
  withBearer(accessToken: string): NativeCore;
}

export interface NativeEngine {
  client(settings: string, storage: Ask | null, shared: boolean, events: Tell | null): NativeCore;
  verify(token: string, permission: string | null, owner: string | null): string | null;
  authenticate(token: string, permission: string | null, owner: string | null): Promise<string>;
  createUser(user: string): Promise<string>;
  close(): Promise<void>;
}

export interface NativeConformance {
  engine(): NativeEngine;
  reset(): Promise<string>;
  advance(seconds: number): Promise<void>;
  now(): number;
}

interface Native {
  connect(settings: string, storage: Ask | null, shared: boolean, events: Tell | null): NativeCore;
  open(settings: string): Promise<NativeEngine>;
  openConformance(settings: string): Promise<NativeConformance>;
  nextNumber(): number;
  cancel(number: number): void;
  answer(number: number, threw: boolean, text: string | null): void;
  openCalls(): number;
}

function place(): string {
  // Node says which C library it runs on; musl's name is not there.
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  const musl = process.platform === 'linux' && !report?.header?.glibcVersionRuntime;
  return `${process.platform}-${process.arch}${musl ? '-musl' : ''}`;
}

function load(): Native {
  const name = place();
  const file = fileURLToPath(new URL(`./prebuilds/${name}/authkit.node`, import.meta.url));
  if (!existsSync(file)) {
    throw new AuthKitError({
      code: 'client.environment',
      message: `This package holds no build for ${name}. Install one that does, or use @authkit/client against a server.`,
    });
  }
  return createRequire(import.meta.url)(file) as Native;
}

export const native = load();

/** The native client as the face asks it. */
export class NodeCore implements Core {
  readonly #core: NativeCore;

  constructor(core: NativeCore) {
    this.#core = core;
  }

  call(operation: string, args: string, options: string, aborted?: Promise<boolean>): Promise<string> {
    const number = aborted ? native.nextNumber() : 0;
    const called = this.#core.call(operation, args, options, number);
    void aborted?.then((stop) => {
      if (stop) native.cancel(number);
    });
    return called;
  }

  accessToken(): Promise<string> {
    return this.#core.accessToken();
  }

  isSignedIn(): Promise<boolean> {
    return this.#core.isSignedIn();
  }

  withBearer(accessToken: string): Core {
    return new NodeCore(this.#core.withBearer(accessToken));
  }
}

/** What `work` results in; what it throws, as an error of AuthKit. */
export async function typed<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw AuthKitError.from(thrown);
  }
}
