export { AuthKit, type AuthKitSettings, type NewUser, type Principal, type VerifyOptions } from './authkit.js';
export { AuthKitClient, type AuthKitClientOptions, type EmbeddedClientOptions } from './client.js';
export { type Auth, type GuardOptions } from './guard.js';
export { Client, isMfaRequired } from './shared/client.js';
export type { AuthKitEvent, ClientOptions, StoredTokens, TokenStorage } from './shared/core.js';
export { AuthKitError, type FieldError } from './shared/error.js';
export type * from './shared/operations.js';
export { TokenVerifier, type Claims, type VerifierOptions } from './shared/verify.js';
