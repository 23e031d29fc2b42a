// Generated from docs/configuration.schema.json by `make generated`.

/** The settings of an engine. None has to be set. */
export interface Settings {
  /** Argon2id and its pool. */
  argon2?: {
    /** Iterations. */
    iterations?: number;
    /** Memory in KiB. */
    memory_kib?: number;
    /** Lanes. */
    parallelism?: number;
    /** Hashes that may wait; further sign-ins are answered 503 with `Retry-After` at once. */
    queue?: number;
    /** Threads that hash. Each holds `memory_kib` once it has worked. Default: the number of processors. */
    threads?: number | null;
  };
  /** `aud` of access tokens. */
  audience?: string;
  /** Which other origins' pages may call the API. */
  cors?: {
    /** Origins, exactly as browsers send them (`https://app.example.com`). Production refuses `*`. None of them may read development's outbox. */
    origins?: string[];
  };
  /** The database's connections. */
  database?: {
    /** How long a request waits for a connection. */
    acquire_timeout?: string;
    /** Whether `serve` brings the schema up to date by itself. Default: in development only; in production run `authkit migrate` first. */
    auto_migrate?: boolean | null;
    /** Connections at most (SQLite: readers; there is always one writer). */
    max_connections?: number;
  };
  /** `sqlite://path`, `sqlite::memory:` or `postgres://user:password@host/database`. */
  database_url?: string;
  /** Devices that sign in with a key of their own. */
  devices?: {
    /** How long a claim code counts. */
    claim?: string;
    /** How often a device is to send a heartbeat. */
    heartbeat?: string;
    /** Devices of one user at most, revoked ones not counted. */
    max_per_user?: number;
  };
  /** `development` or `production`. */
  env?: "development" | "production";
  /** Host names that the server answers for, besides that of the public URL and those of tenants. */
  hosts?: string[];
  /** Limits of the HTTP server. */
  http?: {
    /** The largest request body in KiB; a larger one is answered 413. */
    body_limit_kib?: number;
    /** How long a request's body may take to arrive; then 408. */
    body_timeout?: string;
    /** How long a request's head may take to arrive. */
    header_timeout?: string;
    /** Connections at most. */
    max_connections?: number;
    /** Connections of one client address at most (IPv6 by /64); further ones are closed. Trusted proxies may have any number, and so may this machine in development. */
    max_connections_per_address?: number;
    /** How long an answer may take to be made, at most 90s; then 503. */
    request_timeout?: string;
    /** How long a client may take nothing of an answer; then its connection is closed. */
    write_timeout?: string;
  };
  /** `iss` of access tokens. Default: the public URL. */
  issuer?: string | null;
  /** The keys that seal, authenticate and index what is stored. */
  keys?: {
    /** Where development keeps its generated key on SQLite. Default: beside the database, `<database>.key`. */
    file?: string | null;
    /** Master keys by version: 32 random bytes each, as 64 hexadecimal digits or base64 (`openssl rand -hex 32`). The highest version seals; keep the older ones as long as data sealed under them exists, and the lowest for ever: it indexes addresses. Without one, development generates a key and keeps it beside the database. */
    master?: Record<string, string>;
  };
  /** Lifetimes of mailed links. */
  links?: {
    /** How long an account that was put up for deletion may be opened again by its owner. */
    deletion_grace?: string;
    /** The proof of a new address. */
    email_change?: string;
    /** The old address's way back. */
    email_undo?: string;
    /** A sign-in that waits for its second factor. */
    mfa?: string;
    /** A password reset. */
    reset?: string;
    /** The proof of a registration. */
    verify?: string;
  };
  /** The address that the server listens on. Port 0 takes a free one. */
  listen?: string;
  /** When wrong passwords and codes lock an account. */
  lockout?: {
    /** Failures that lock. */
    failures?: number;
    /** The first lock; each further one lasts twice as long. */
    first_lock?: string;
    /** The longest lock. */
    longest_lock?: string;
    /** Time in which they count. */
    window?: string;
  };
  /** The log. */
  log?: {
    /** `json`, `text`, or `auto`: JSON in production, text in development. */
    format?: "auto" | "json" | "text";
    /** What is logged, in the syntax of `RUST_LOG`. */
    level?: string;
  };
  /** How mail goes out. */
  mail?: {
    /** The sender, `address` or `Name <address>`. */
    from?: string;
    /** The SMTP relay. Without one, development keeps mail in its outbox. */
    smtp?: {
      /** Certificates (PEM) that are trusted beside those of the system, for a relay with a private one. */
      ca?: string | null;
      /** Its host name. */
      host?: string;
      /** The password of that user. */
      password?: string | null;
      /** Its port. Default: 587, with `tls = "implicit"` 465, with `tls = "none"` 25. */
      port?: number | null;
      /** How long a conversation may take. */
      timeout?: string;
      /** `starttls` (required, never optional), `implicit`, or `none` (for a relay on this machine only). */
      tls?: "starttls" | "implicit" | "none";
      /** The user name, when it asks for one. */
      username?: string | null;
    } | null;
  };
  /** Metrics and documentation. */
  operations?: {
    /** Whether `/api/docs` and `/api/openapi.json` are served. Default: like `metrics`. */
    docs?: boolean | null;
    /** A listener of their own for `/metrics`, `/api/openapi.json` and `/api/docs`, for example `127.0.0.1:9090`. */
    listen?: string | null;
    /** Whether `/metrics` is served. Default: in development, and in production when `listen` or `token` is set. */
    metrics?: boolean | null;
    /** A bearer token that they ask for. */
    token?: string | null;
  };
  /** How new passwords are judged. */
  password?: {
    /** A file of SHA-1 or SHA-256 hashes of breached passwords, one in hexadecimal on each line, sorted, as Have I Been Pwned publishes them (`HASH:COUNT`). It is searched on disk. Without it the built-in list of common passwords is used alone. */
    breached_list?: string | null;
    /** How many earlier passwords cannot be used again, the current one included. */
    history?: number;
    /** Characters after NFC, at most. */
    max_length?: number;
    /** Characters after NFC, at least. */
    min_length?: number;
    /** Estimated strength (zxcvbn, 0 to 4), at least. */
    min_score?: number;
    /** Whether a digit is required. */
    require_digit?: boolean;
    /** Whether a lower-case letter is required. */
    require_lowercase?: boolean;
    /** Whether a character that is neither letter nor digit is required. */
    require_symbol?: boolean;
    /** Whether an upper-case letter is required. */
    require_uppercase?: boolean;
  };
  /** Where client addresses are on the map. */
  places?: {
    /** A city database in MaxMind's format (`.mmdb`). Without one, sessions show no place. */
    database?: string | null;
  };
  /** The name that mails and authenticator apps show. */
  product_name?: string;
  /** The application's profile fields by name: `text`, `number` or `boolean`. */
  profile_fields?: Record<string, "text" | "number" | "boolean">;
  /** Where people reach the server: scheme, host and port, no path. Mailed links begin with it, or with the tenant's own host where it has one. Default: `http://` and `listen`. */
  public_url?: string | null;
  /** Limits on the number of requests. */
  rate_limits?: {
    /** Whether they are in force. Production refuses `false`. */
    enabled?: boolean;
    /** What sends a mail: forgot, resend, address change. */
    mail?: {
      /** In this time. */
      per?: string;
      /** Requests. */
      requests?: number;
    };
    /** Everything else. */
    read?: {
      /** In this time. */
      per?: string;
      /** Requests. */
      requests?: number;
    };
    /** Registering. */
    register?: {
      /** In this time. */
      per?: string;
      /** Requests. */
      requests?: number;
    };
    /** Signing in: password and second factor. */
    sign_in?: {
      /** In this time. */
      per?: string;
      /** Requests. */
      requests?: number;
    };
    /** What presents a token: refresh, verify, reset. */
    token?: {
      /** In this time. */
      per?: string;
      /** Requests. */
      requests?: number;
    };
    /** Everything else that changes something. */
    write?: {
      /** In this time. */
      per?: string;
      /** Requests. */
      requests?: number;
    };
  };
  /** Where links may lead after they were used: exact origin, then the path or beneath it. */
  redirect_urls?: string[];
  /** How many sessions a user may have, and for how long. */
  sessions?: {
    /** Ends a session so long after its sign-in. `0s` for never. */
    absolute_timeout?: string;
    /** How recent a sign-in must be for what needs a fresh one. */
    fresh?: string;
    /** Ends a session that was not used for so long. `0s` for never. */
    idle_timeout?: string;
    /** Sessions of one user; the oldest goes when one more is opened. 0 for no limit. */
    max_per_user?: number;
  };
  /** How the server stops. */
  shutdown?: {
    /** How long running requests may go on after SIGTERM or SIGINT. */
    deadline?: string;
  };
  /** TLS of the listener. */
  tls?: {
    /** The certificate chain, PEM. */
    cert?: string;
    /** Its private key, PEM. */
    key?: string;
  } | null;
  /** Access and refresh tokens. */
  tokens?: {
    /** Life of an access token. */
    access?: string;
    /** Signature algorithm of keys made from now on: `EdDSA`, `ES256` or `RS256`. */
    algorithm?: "EdDSA" | "ES256" | "RS256";
    /** Life of a device's access token. */
    device?: string;
    /** A signing key is replaced after this time. */
    key_rotation?: string;
    /** Allowed difference between clocks. */
    leeway?: string;
    /** Life of an unused refresh token. */
    refresh?: string;
    /** How long the immediately previous refresh token answers with the same successor pair. */
    refresh_overlap?: string;
    /** The same for a repeat with the first request's `Idempotency-Key`, while the successor is unused. */
    refresh_replay?: string;
  };
  /** Networks of proxies whose `X-Forwarded-For` counts, for example `10.0.0.0/8`. */
  trusted_proxies?: string[];
}
