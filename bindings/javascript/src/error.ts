/** What was wrong with one argument. */
export interface FieldError {
  /** Its path, for example `permissions[0]`. */
  readonly field: string;
  readonly code: string;
  /** What would be right. */
  readonly detail: string;
}

/** An error as the native layer writes it. */
export interface ErrorParts {
  code: string;
  message: string;
  status?: number;
  retryable?: boolean;
  retry_after?: number | null;
  trace_id?: string | null;
  fields?: readonly FieldError[];
}

/** Why a call failed. It never holds a secret. */
export class AuthKitError extends Error {
  /** A stable code: one of the server's (docs/errors.md), or one that begins with `client.`. */
  readonly code: string;
  /** The HTTP status; 0 when nothing answered. */
  readonly status: number;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** Seconds that the server asks to wait before that. */
  readonly retryAfter: number | null;
  /** Finds the request in the server's logs. */
  readonly traceId: string | null;
  /** The refused arguments. */
  readonly fields: readonly FieldError[];

  constructor(parts: ErrorParts) {
    super(parts.message);
    this.name = 'AuthKitError';
    this.code = parts.code;
    this.status = parts.status ?? 0;
    this.retryable = parts.retryable ?? false;
    this.retryAfter = parts.retry_after ?? null;
    this.traceId = parts.trace_id ?? null;
    this.fields = parts.fields ?? [];
  }

  /** The error that `thrown` stands for: native layers throw JSON, alone or as the message of an error. */
  static from(thrown: unknown): AuthKitError {
    if (thrown instanceof AuthKitError) return thrown;
    const text = thrown instanceof Error ? thrown.message : thrown;
    if (typeof text === 'string' && text.startsWith('{')) {
      try {
        const parts: unknown = JSON.parse(text);
        if (isParts(parts)) return new AuthKitError(parts);
      } catch {
        // Not the native layer's: told below, without repeating what it says.
      }
    }
    return new AuthKitError({ code: 'client.internal', message: 'Something went wrong inside the client.' });
  }
}

function isParts(value: unknown): value is ErrorParts {
  const { code, message } = (value ?? {}) as Partial<ErrorParts>;
  return typeof code === 'string' && typeof message === 'string';
}

/** The refusal of an argument before anything was sent. */
export function invalidArgument(message: string): AuthKitError {
  return new AuthKitError({ code: 'client.invalid_argument', message });
}
