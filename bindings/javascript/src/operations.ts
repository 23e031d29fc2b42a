// Generated from the OpenAPI document by `make generated`.

/** How one call is made. */
export interface CallOptions {
  /** Makes a repeat of a write by the caller safe, for 24 hours. Repeats by the client are safe in any case. */
  idempotencyKey?: string;
  /** Milliseconds that the call may take. */
  timeout?: number;
  /** Gives the call up. What it asked for may have been done. */
  signal?: AbortSignal;
}

/** One user in administration, with roles. */
export type AdminUserView = UserView & {
  /** Until when wrong passwords keep the account locked. */
  locked_until?: string | null;
  /** The roles that are assigned directly. */
  roles: RoleId[];
};

export type AuditId = string;

/** Whether an audited operation succeeded. */
export type AuditOutcome = "success" | "failure";

/** A record of the audit log. */
export interface AuditView {
  /** What happened, for example `session.created`. */
  action: string;
  /** Who did it. */
  actor?: string | null;
  /** When it happened. */
  at: string;
  /** More, without personal data. */
  data: Record<string, unknown>;
  /** Its id. */
  id: AuditId;
  /** The address it came from, unless the person was erased. */
  ip?: string | null;
  /** Whether it succeeded. */
  outcome: AuditOutcome;
  /** Its place in the sealed chain, once it has one. */
  sequence?: number | null;
  /** To whom or what. */
  subject?: string | null;
  /** Finds the request in the logs. */
  trace_id?: string | null;
  /** The `User-Agent` it came from, unless the person was erased. */
  user_agent?: string | null;
}

/** Ten backup codes, shown once. */
export interface BackupCodesView {
  /** The codes. */
  backup_codes: Secret[];
}

/** `POST /v1/me/email` */
export interface ChangeEmailRequest {
  /** The address to move to. */
  new_email: string;
}

/** `POST /v1/permissions/check` */
export interface CheckPermissionRequest {
  owner_id?: UserId | null;
  /** `resource:action` */
  permission: string;
  user_id?: UserId | null;
}

/** `POST /v1/devices/claim` */
export interface ClaimDeviceRequest {
  /** How it signs. */
  algorithm: DeviceKeyAlgorithm;
  /** As the server gave it, for this key. */
  challenge: string;
  /** The claim code, in any case, with or without hyphens. */
  code: string;
  /** What the device calls itself; the name that its owner gave with the claim comes first. */
  name?: string | null;
  /** The device's key, base64url. */
  public_key: string;
  /** Its signature over the proof, 64 bytes, base64url. */
  signature: string;
  /** The version of its software. */
  version?: string | null;
}

/** A claimed device with its first token. */
export interface ClaimedDeviceView {
  /** `typ: at+jwt` (RFC 9068), with the scope `device`. */
  access_token: Secret;
  /** The device. */
  device: DeviceView;
  /** Seconds that the access token lives. */
  expires_in: number;
  /** Always `Bearer` (RFC 6750). */
  token_type: string;
}

/** `POST /v1/devices/claims` */
export interface CreateDeviceClaimRequest {
  /** What its owner calls the device; else the device's own name counts. */
  name?: string | null;
}

/** `POST /v1/roles` */
export interface CreateRoleRequest {
  /** What the role is for. */
  description?: string;
  /** Unique in the tenant, in any case. ASCII letters, digits, `. _ : - /` and single spaces between them. */
  name: string;
  parent_id?: RoleId | null;
  /** `resource:action`, `resource:action:own`, `resource:*`. */
  permissions?: string[];
}

/** Why a permission is allowed. */
export interface DecisionVia {
  /** The grant that matched. */
  grant: string;
  /** The names of the roles, the assigned one first, the granting one last. */
  roles: string[];
}

/** A permission decision. */
export interface DecisionView {
  /** Whether it is allowed. */
  allowed: boolean;
  via?: DecisionVia | null;
}

/** `POST /v1/devices/challenge`: for a claim with `public_key` and `algorithm`, for a token with `device_id`. */
export interface DeviceChallengeRequest {
  algorithm?: DeviceKeyAlgorithm | null;
  device_id?: DeviceId | null;
  /** 16 random bytes of the device, base64url, which the server signs together with its time. */
  nonce: string;
  /** The key that shall be claimed, base64url: 32 bytes for EdDSA, 65 (uncompressed SEC 1) for ES256. */
  public_key?: string | null;
  /** What for. */
  purpose: DevicePurpose;
}

/** A challenge, and the server's time. */
export interface DeviceChallengeView {
  /** Opaque; it counts once, for a minute, for what it was asked for. */
  challenge: string;
  /** The server's Ed25519 key, base64url. */
  server_key: string;
  /** Seconds since 1970. */
  server_time: number;
  /** Its signature over time, nonce and challenge, base64url. */
  signature: string;
}

export type DeviceClaimId = string;

/** An invitation for one device, shown once. */
export interface DeviceClaimView {
  /** What is typed into the device, `XXXX-XXXX-XXXX`. */
  code: Secret;
  /** Until when the code counts. */
  expires_at: string;
  /** Its id. */
  id: DeviceClaimId;
  /** The same as a PNG picture in a `data:` address, for clients that cannot show SVG. */
  qr_png: Secret;
  /** The address as a QR code. */
  qr_svg: Secret;
  /** The server's Ed25519 key, base64url. A device that has it believes no other server. */
  server_key: string;
  /** The same for a device that reads a QR code: server, code and the server's key. */
  uri: Secret;
}

/** How a device says that it is. */
export type DeviceHealth = "ok" | "degraded" | "failing";

export type DeviceId = string;

/** How a device signs. */
export type DeviceKeyAlgorithm = "EdDSA" | "ES256";

/** What a challenge is for. One that was made for the one is refused for the other. */
export type DevicePurpose = "claim" | "token";

/** The state of a device. */
export type DeviceStatus = "active" | "revoked";

/** `POST /v1/devices/token` */
export interface DeviceTokenRequest {
  /** As the server gave it, for this device. */
  challenge: string;
  /** Which device. */
  device_id: DeviceId;
  /** The device's signature over the proof, 64 bytes, base64url. */
  signature: string;
}

/** A device's access token. */
export interface DeviceTokenView {
  /** `typ: at+jwt` (RFC 9068), with the scope `device`. */
  access_token: Secret;
  /** The device. */
  device_id: DeviceId;
  /** Seconds that the access token lives. */
  expires_in: number;
  /** Always `Bearer` (RFC 6750). */
  token_type: string;
}

/** A device. */
export interface DeviceView {
  /** How it signs. */
  algorithm: DeviceKeyAlgorithm;
  /** What it can do, as it said last. */
  capabilities: string[];
  /** When it was claimed. */
  created_at: string;
  /** Its id. */
  id: DeviceId;
  /** SHA-256 of its public key, base64url. */
  key_thumbprint: string;
  /** When it was last heard of, to the minute. */
  last_seen_at?: string | null;
  /** What its owner calls it. */
  name: string;
  /** Whose it is. */
  owner_id: UserId;
  reported_status?: DeviceHealth | null;
  /** When it was taken back. */
  revoked_at?: string | null;
  /** Whether it may get tokens. */
  status: DeviceStatus;
  /** The version of its software, as it said last. */
  version?: string | null;
}

/** What a verifier of tokens needs to know (the part of OpenID Connect Discovery that exists here). */
export interface DiscoveryView {
  /** The claims of access tokens. */
  claims_supported: string[];
  /** How access tokens are signed, also those that an earlier setting signed and that still count. */
  id_token_signing_alg_values_supported: string[];
  /** `iss` of access tokens. */
  issuer: string;
  /** Where the keys are. */
  jwks_uri: string;
  /** Where the API is described, when this address shows it. */
  service_documentation?: string | null;
  /** Subjects are the same for everybody. */
  subject_types_supported: string[];
}

/** A request about an address: resend, forgot. */
export interface EmailRequest {
  /** The address. */
  email: string;
}

/** What was wrong with one field of a request. */
export interface FieldError {
  /** A stable code. */
  code: string;
  /** What would be right. */
  detail: string;
  /** The field's path, for example `permissions[0]`. */
  field: string;
}

/** `POST /v1/devices/heartbeat`: an absent field stays. */
export interface HeartbeatRequest {
  /** What it can do, in short words; replaces the list. */
  capabilities?: string[] | null;
  status?: DeviceHealth | null;
  /** The version of its software. */
  version?: string | null;
}

/** The answer to a heartbeat. */
export interface HeartbeatView {
  /** In how many seconds the next one is due. */
  next_in: number;
  /** Seconds since 1970. */
  server_time: number;
}

/** The keys that verify access tokens (RFC 7517). */
export interface JwksView {
  /** Public keys, also those that will sign soon. */
  keys: (Record<string, unknown>)[];
}

/** `POST /v1/auth/login` */
export interface LoginRequest {
  /** The account's address. */
  email: string;
  /** Its password. */
  password: Secret;
}

/** The answer to a first factor. */
export type LoginView = TokensView | MfaRequiredView;

/** `POST /v1/auth/logout` */
export interface LogoutRequest {
  refresh_token?: Secret | null;
}

/** A second factor. */
export type MfaMethod = "totp" | "backup_code";

/** `POST /v1/me/mfa/totp/disable` and `POST /v1/me/mfa/backup-codes` */
export interface MfaReauthRequest {
  /** Its code. */
  code: Secret;
  /** The second factor used. */
  method: MfaMethod;
  /** The current password. */
  password: Secret;
}

/** The first factor was right; a second is asked for. */
export interface MfaRequiredView {
  /** What can be used. */
  methods: MfaMethod[];
  /** Always true. */
  mfa_required: boolean;
  /** Opaque, for this attempt only; it runs out after five minutes unless that is configured otherwise. */
  mfa_token: Secret;
}

/** What second factors the user has. */
export interface MfaStatusView {
  /** Backup codes left. */
  backup_codes_left: number;
  /** Whether it is time to make new ones (three or fewer left). */
  backup_codes_low: boolean;
  /** Whether TOTP is confirmed. */
  totp: boolean;
}

/** `POST /v1/auth/mfa/verify` */
export interface MfaVerifyRequest {
  /** The code. */
  code: Secret;
  /** The second factor used. */
  method: MfaMethod;
  /** The token of the attempt that the first factor opened. */
  mfa_token: Secret;
}

/** A mail that the development outbox shows. */
export interface OutboxMailView {
  /** The code it holds. */
  code?: string | null;
  /** When it was delivered. */
  created_at: string;
  /** Its HTML. */
  html: string;
  /** What it is about, for example `verify_email`. */
  kind: string;
  /** The links it holds. */
  links: string[];
  /** Its subject. */
  subject: string;
  /** Its plain text. */
  text: string;
  /** The recipient. */
  to: string;
}

/** Mails, the newest first. */
export interface OutboxView {
  /** The mails. */
  data: OutboxMailView[];
}

/** One page of a list. */
export interface Page_AdminUserView {
  /** The items, in the list's order. */
  data: AdminUserView[];
  /** Pass it as `cursor` for the next page; `null` at the end. */
  next_cursor?: string | null;
}

/** One page of a list. */
export interface Page_AuditView {
  /** The items, in the list's order. */
  data: AuditView[];
  /** Pass it as `cursor` for the next page; `null` at the end. */
  next_cursor?: string | null;
}

/** One page of a list. */
export interface Page_DeviceView {
  /** The items, in the list's order. */
  data: DeviceView[];
  /** Pass it as `cursor` for the next page; `null` at the end. */
  next_cursor?: string | null;
}

/** One page of a list. */
export interface Page_RoleView {
  /** The items, in the list's order. */
  data: RoleView[];
  /** Pass it as `cursor` for the next page; `null` at the end. */
  next_cursor?: string | null;
}

/** One page of a list. */
export interface Page_SessionView {
  /** The items, in the list's order. */
  data: SessionView[];
  /** Pass it as `cursor` for the next page; `null` at the end. */
  next_cursor?: string | null;
}

/** `POST /v1/auth/password/change` */
export interface PasswordChangeRequest {
  current_password?: Secret | null;
  /** As long as the installation's policy says: 10 to 128 characters unless it is configured otherwise. */
  new_password: string;
}

/** The password again, for what cannot be undone by accident. */
export interface PasswordConfirmRequest {
  password?: Secret | null;
}

/** `POST /v1/auth/password/reset` */
export interface PasswordResetRequest {
  /** As long as the installation's policy says: 10 to 128 characters unless it is configured otherwise. */
  new_password: string;
  /** The token of the mailed link. */
  token: Secret;
}

/** The permissions of one resource. */
export interface PermissionGroupView {
  /** Its permissions. */
  permissions: PermissionView[];
  /** The resource. */
  resource: string;
}

/** A permission that exists. */
export interface PermissionView {
  /** What it allows. */
  description: string;
  /** `resource:action` */
  name: string;
  /** The scopes it can be granted with. */
  scopes: string[];
}

/** Every permission that exists. */
export interface PermissionsView {
  /** By resource. */
  data: PermissionGroupView[];
}

/** A problem document (RFC 9457), the body of every HTTP error. */
export interface Problem {
  /** The stable code. */
  code: string;
  /** What happened this time, and what to do next. */
  detail: string;
  /** The refused fields, when there are any. */
  errors?: FieldError[];
  /** The HTTP status. */
  status: number;
  /** The same text for every occurrence of the code. */
  title: string;
  /** Finds the request in the server's logs. */
  trace_id: string;
  /** A URI reference that identifies the kind of problem. */
  type: string;
}

/** `POST /v1/auth/refresh` */
export interface RefreshRequest {
  /** The current refresh token. */
  refresh_token: Secret;
}

/** `POST /v1/auth/register` */
export interface RegisterRequest {
  /** The address that will be proved. */
  email: string;
  /** BCP 47 language tag for mails. */
  locale?: string | null;
  /** The display name. */
  name?: string | null;
  /** As long as the installation's policy says: 10 to 128 characters unless it is configured otherwise. */
  password: string;
  /** Profile fields that the application has declared. */
  profile?: Record<string, unknown> | null;
  /** Where to go after the proof; must be on the tenant's list. */
  redirect_url?: string | null;
}

/** A started registration. */
export interface RegistrationView {
  /** Always `verification_required`. */
  status: string;
}

/** How many sessions ended. */
export interface RevokedView {
  /** The number. */
  revoked: number;
}

export type RoleId = string;

/** A role. */
export interface RoleView {
  /** When it was made. */
  created_at: string;
  /** What it is for. */
  description: string;
  /** Its id. */
  id: RoleId;
  /** Unique in the tenant. */
  name: string;
  parent_id?: RoleId | null;
  /** What it grants itself, without what it inherits. */
  permissions: string[];
  /** Whether it is fixed. */
  system: boolean;
  /** When it last changed. */
  updated_at: string;
  /** Grows with each change; also the ETag. */
  version: number;
}

export type Secret = string;

export type SessionId = string;

/** A session of the user. */
export interface SessionView {
  /** How it signed in (RFC 8176). */
  amr: string[];
  /** When it signed in. */
  created_at: string;
  /** Whether the request came from it. */
  current: boolean;
  /** Its id. */
  id: SessionId;
  /** The address at sign-in. */
  ip?: string | null;
  /** When it was last seen, to the minute. */
  last_active_at: string;
  /** Where the address is, when a database of places is configured. */
  place?: string | null;
  /** The `User-Agent` at sign-in. */
  user_agent?: string | null;
}

export type TenantId = string;

/** A single-use token from a mailed link. */
export interface TokenRequest {
  /** The token of the link. */
  token: Secret;
}

/** The tokens of a session. */
export interface TokensView {
  /** `typ: at+jwt` (RFC 9068). */
  access_token: Secret;
  /** Seconds that the access token lives. */
  expires_in: number;
  /** Opaque; rotates at every use. */
  refresh_token: Secret;
  /** The session. */
  session_id: SessionId;
  /** Always `Bearer` (RFC 6750). */
  token_type: string;
  /** Who signed in. */
  user: UserView;
}

/** `POST /v1/me/mfa/totp/confirm` */
export interface TotpConfirmRequest {
  /** A code of the new authenticator. */
  code: Secret;
}

/** A TOTP enrolment that waits for its confirmation. */
export interface TotpEnrolmentView {
  /** For authenticator apps. */
  otpauth_uri: Secret;
  /** The same as a PNG picture in a `data:` address, for clients that cannot show SVG. */
  qr_png: Secret;
  /** The same as a QR code. */
  qr_svg: Secret;
  /** Base32 (RFC 4648), for typing in. */
  secret: Secret;
}

/** `PATCH /v1/devices/{id}` */
export interface UpdateDeviceRequest {
  /** What its owner calls it. */
  name: string;
}

/** `PATCH /v1/me`: an absent field stays, `null` clears. */
export interface UpdateMeRequest {
  /** BCP 47 language tag. */
  locale?: string | null;
  /** The display name. */
  name?: string | null;
  /** The application's per-user preferences to set; a `null` value removes one. */
  preferences?: Record<string, unknown> | null;
  /** Declared profile fields to set; a `null` value removes one. */
  profile?: Record<string, unknown> | null;
}

/** `PATCH /v1/roles/{id}`: an absent field stays. */
export interface UpdateRoleRequest {
  /** What the role is for. */
  description?: string | null;
  /** Unique in the tenant. */
  name?: string | null;
  parent_id?: RoleId | null;
  /** Replaces the list. */
  permissions?: string[] | null;
}

export type UserId = string;

/** The state of an account. */
export type UserStatus = "active" | "deactivated" | "pending_deletion";

/** A user as its owner and administrators see it. */
export interface UserView {
  /** When the account was made. */
  created_at: string;
  /** The address: as written, its domain in ASCII. */
  email: string;
  /** Whether the address is proved. */
  email_verified: boolean;
  /** Its id. */
  id: UserId;
  /** BCP 47 language tag. */
  locale?: string | null;
  /** Whether a second factor is asked for. */
  mfa_enabled: boolean;
  /** The display name. */
  name?: string | null;
  /** The application's preferences. */
  preferences: Record<string, unknown>;
  /** Declared profile fields. */
  profile: Record<string, unknown>;
  /** Whether the account may be used. */
  status: UserStatus;
  /** Its tenant. */
  tenant_id: TenantId;
  /** When it last changed. */
  updated_at: string;
  /** Grows with each change; also the ETag. */
  version: number;
}

/** A proved registration. */
export interface VerifiedView {
  /** Where the registration asked to go next. */
  redirect_url?: string | null;
  /** The account that exists from here. */
  user: UserView;
}

/** A method for each operation of the contract. */
export interface Operations {
  /**
   * Activate a user
   *
   * Also one whose deletion is pending.
   */
  activateUser(args: {
    /** The user */
    id: UserId;
  }, options?: CallOptions): Promise<AdminUserView>;

  /**
   * Assign a role
   *
   * The caller must hold everything that the role grants.
   */
  assignRole(args: {
    /** The user */
    id: UserId;
    /** The role */
    role_id: RoleId;
  }, options?: CallOptions): Promise<null>;

  /**
   * Move to another address
   *
   * Mails a proof to the new address. Needs a sign-in within the last ten minutes.
   */
  changeEmail(args: {
    /** The address to move to. */
    new_email: string;
  }, options?: CallOptions): Promise<null>;

  /**
   * Change the password
   *
   * Takes the current password, or none within ten minutes of a sign-in. The other sessions end.
   */
  changePassword(args: {
    /** As long as the installation's policy says: 10 to 128 characters unless it is configured otherwise. */
    new_password: string;
    /** The password so far. It may be left out while the sign-in is fresh. */
    current_password?: Secret | null;
  }, options?: CallOptions): Promise<null>;

  /**
   * Decide about a permission
   *
   * Says which role and grant decided. Asking about somebody else needs `permissions:check`.
   */
  checkPermission(args: {
    /** `resource:action` */
    permission: string;
    /** The owner of the object in question, for `own` permissions. */
    owner_id?: UserId | null;
    /** Whose permission; the caller's own when absent. */
    user_id?: UserId | null;
  }, options?: CallOptions): Promise<DecisionView>;

  /**
   * Claim a device
   *
   * The device sends the code that its owner was shown, and its signature over the challenge (`Proof` of `authkit-wire`,
   * with the code without hyphens). The same key with the same code gets the same device for a day, should the first
   * answer be lost.
   */
  claimDevice(args: {
    /** How it signs. */
    algorithm: DeviceKeyAlgorithm;
    /** As the server gave it, for this key. */
    challenge: string;
    /** The claim code, in any case, with or without hyphens. */
    code: string;
    /** The device's key, base64url. */
    public_key: string;
    /** Its signature over the proof, 64 bytes, base64url. */
    signature: string;
    /** What the device calls itself; the name that its owner gave with the claim comes first. */
    name?: string | null;
    /** The version of its software. */
    version?: string | null;
  }, options?: CallOptions): Promise<ClaimedDeviceView>;

  /**
   * Prove a new address
   *
   * The account moves to it, the other sessions end, and the old address gets a way back.
   */
  confirmEmail(args: {
    /** The token of the link. */
    token: Secret;
  }, options?: CallOptions): Promise<null>;

  /**
   * Confirm TOTP
   *
   * With a code of the new authenticator. The ten backup codes are shown this once; the other sessions end.
   */
  confirmTotp(args: {
    /** A code of the new authenticator. */
    code: Secret;
  }, options?: CallOptions): Promise<BackupCodesView>;

  /**
   * Make a claim code
   *
   * For one device, which becomes the caller's. The code is shown once and counts for fifteen minutes unless that is
   * configured otherwise.
   */
  createDeviceClaim(args?: {
    /** What its owner calls the device; else the device's own name counts. */
    name?: string | null;
  }, options?: CallOptions): Promise<DeviceClaimView>;

  /**
   * Make a role
   *
   * It may grant only what the caller holds.
   */
  createRole(args: {
    /** Unique in the tenant, in any case. ASCII letters, digits, `. _ : - /` and single spaces between them. */
    name: string;
    /** What the role is for. */
    description?: string;
    /** The role it inherits from. */
    parent_id?: RoleId | null;
    /** `resource:action`, `resource:action:own`, `resource:*`. */
    permissions?: string[];
  }, options?: CallOptions): Promise<RoleView>;

  /**
   * Deactivate the own account
   *
   * Takes the password, or none within ten minutes of a sign-in. All sessions end. The mail about it holds a link that
   * activates the account again; an administrator can, too.
   */
  deactivateMe(args?: {
    /** The current password. It may be left out while the sign-in is fresh. */
    password?: Secret | null;
  }, options?: CallOptions): Promise<null>;

  /**
   * Deactivate a user
   *
   * The user's sessions end.
   */
  deactivateUser(args: {
    /** The user */
    id: UserId;
  }, options?: CallOptions): Promise<AdminUserView>;

  /**
   * Delete the own account
   *
   * Takes the password, or none within ten minutes of a sign-in. The account is closed at once and all sessions
   * end. The mail about it holds a link that opens it again within the grace period; an administrator can, too.
   */
  deleteMe(args?: {
    /** The current password. It may be left out while the sign-in is fresh. */
    password?: Secret | null;
  }, options?: CallOptions): Promise<null>;

  /**
   * Delete a role
   *
   * Nobody may hold it and nothing may inherit from it.
   */
  deleteRole(args: {
    /** The role */
    id: RoleId;
  }, options?: CallOptions): Promise<null>;

  /**
   * Remove TOTP
   *
   * With the password and a code. The backup codes go too.
   */
  disableTotp(args: {
    /** Its code. */
    code: Secret;
    /** The second factor used. */
    method: MfaMethod;
    /** The current password. */
    password: Secret;
  }, options?: CallOptions): Promise<null>;

  /**
   * Start with TOTP
   *
   * Makes a secret that asks for nothing until it is confirmed. Needs a sign-in within the last ten minutes.
   */
  enrolTotp(args?: Record<string, never>, options?: CallOptions): Promise<TotpEnrolmentView>;

  /**
   * Ask for a password reset
   *
   * Answers alike whatever the address.
   */
  forgotPassword(args: {
    /** The address. */
    email: string;
  }, options?: CallOptions): Promise<null>;

  /** One record of the audit log */
  getAudit(args: {
    /** The record */
    id: AuditId;
  }, options?: CallOptions): Promise<AuditView>;

  /** One device of the user */
  getDevice(args: {
    /** The device */
    id: DeviceId;
  }, options?: CallOptions): Promise<DeviceView>;

  /** Metadata of the issuer */
  getDiscovery(args?: Record<string, never>, options?: CallOptions): Promise<DiscoveryView>;

  /** The keys that verify access tokens */
  getJwks(args?: Record<string, never>, options?: CallOptions): Promise<JwksView>;

  /** The signed-in user */
  getMe(args?: Record<string, never>, options?: CallOptions): Promise<UserView>;

  /** What second factors the user has */
  getMfa(args?: Record<string, never>, options?: CallOptions): Promise<MfaStatusView>;

  /** The device that asks */
  getOwnDevice(args?: Record<string, never>, options?: CallOptions): Promise<DeviceView>;

  /** One role */
  getRole(args: {
    /** The role */
    id: RoleId;
  }, options?: CallOptions): Promise<RoleView>;

  /** One user */
  getUser(args: {
    /** The user */
    id: UserId;
  }, options?: CallOptions): Promise<AdminUserView>;

  /**
   * Get a device's access token
   *
   * For the device's signature over the challenge (`Proof` of `authkit-wire`, with the device's id).
   */
  issueDeviceToken(args: {
    /** As the server gave it, for this device. */
    challenge: string;
    /** Which device. */
    device_id: DeviceId;
    /** The device's signature over the proof, 64 bytes, base64url. */
    signature: string;
  }, options?: CallOptions): Promise<DeviceTokenView>;

  /**
   * Records of the audit log
   *
   * The newest first.
   */
  listAudit(args?: {
    /** This action, or with a trailing `.` every action that starts so */
    action?: string;
    /** Who did it */
    actor?: string;
    /** To whom or what */
    subject?: string;
    /** Whether it succeeded */
    outcome?: AuditOutcome;
    /** At or after (RFC 3339) */
    from?: string;
    /** Before (RFC 3339) */
    until?: string;
    /** Items on the page; 25 without it */
    limit?: number;
    /** `next_cursor` of the page before */
    cursor?: string;
  }, options?: CallOptions): Promise<Page_AuditView>;

  /**
   * The user's devices
   *
   * The newest first, revoked ones too.
   */
  listDevices(args?: {
    /** Items on the page; 25 without it */
    limit?: number;
    /** `next_cursor` of the page before */
    cursor?: string;
  }, options?: CallOptions): Promise<Page_DeviceView>;

  /**
   * Mails that development kept
   *
   * The newest first.
   */
  listOutbox(args?: {
    /** Only those to this address */
    to?: string;
  }, options?: CallOptions): Promise<OutboxView>;

  /** The permissions that exist, by resource */
  listPermissions(args?: Record<string, never>, options?: CallOptions): Promise<PermissionsView>;

  /** The roles of the tenant, by name */
  listRoles(args?: {
    /** Only those that inherit from this role directly */
    parent_id?: RoleId;
    /** The name starts with this */
    name?: string;
    /** Only the fixed ones (`true`), or only the others (`false`) */
    system?: boolean;
    /** Items on the page; 25 without it */
    limit?: number;
    /** `next_cursor` of the page before */
    cursor?: string;
  }, options?: CallOptions): Promise<Page_RoleView>;

  /**
   * The user's sessions
   *
   * The newest first; the one that asks is marked `current`.
   */
  listSessions(args?: {
    /** Items on the page; 25 without it */
    limit?: number;
    /** `next_cursor` of the page before */
    cursor?: string;
  }, options?: CallOptions): Promise<Page_SessionView>;

  /**
   * The devices of the tenant
   *
   * The newest first.
   */
  listUserDevices(args?: {
    /** Whose */
    owner_id?: UserId;
    /** Their status */
    status?: DeviceStatus;
    /** Items on the page; 25 without it */
    limit?: number;
    /** `next_cursor` of the page before */
    cursor?: string;
  }, options?: CallOptions): Promise<Page_DeviceView>;

  /**
   * The sessions of a user
   *
   * The newest first; the one that asks is marked `current`.
   */
  listUserSessions(args: {
    /** The user */
    id: UserId;
    /** Items on the page; 25 without it */
    limit?: number;
    /** `next_cursor` of the page before */
    cursor?: string;
  }, options?: CallOptions): Promise<Page_SessionView>;

  /**
   * The users of the tenant
   *
   * The newest first.
   */
  listUsers(args?: {
    /** The address starts with this */
    email?: string;
    /** The name contains this, in any case */
    name?: string;
    /** Their status */
    status?: UserStatus;
    /** They hold this role directly */
    role?: RoleId;
    /** Items on the page; 25 without it */
    limit?: number;
    /** `next_cursor` of the page before */
    cursor?: string;
  }, options?: CallOptions): Promise<Page_AdminUserView>;

  /**
   * Sign in
   *
   * Answers with tokens, or asks for a second factor. A wrong address, a wrong password, an account that is not proved
   * and a locked one are refused alike. No `Idempotency-Key` is taken, because tokens are not kept: sign in again, and
   * end the session whose answer was lost.
   */
  login(args: {
    /** The account's address. */
    email: string;
    /** Its password. */
    password: Secret;
  }, options?: CallOptions): Promise<LoginView>;

  /**
   * Sign out
   *
   * Takes the access token, the refresh token, or both, valid for anything else or not: an expired token must not
   * prevent signing out.
   */
  logout(args?: {
    /** The session's refresh token, when there is no access token to send. */
    refresh_token?: Secret | null;
  }, options?: CallOptions): Promise<null>;

  /**
   * Get the own account back
   *
   * With the token that was mailed when its owner deactivated the account or put it up for deletion: within 30 days, or
   * within the grace period. An administrator who deactivates the account takes this way back. It signs nobody in.
   */
  reactivate(args: {
    /** The token of the link. */
    token: Secret;
  }, options?: CallOptions): Promise<null>;

  /**
   * Continue a session
   *
   * Each refresh token works once. Presented again within a few seconds, or with the first request's `Idempotency-Key`
   * while its successor is unused, it answers with the same pair; otherwise the session ends, because somebody else may
   * hold the token.
   */
  refresh(args: {
    /** The current refresh token. */
    refresh_token: Secret;
  }, options?: CallOptions): Promise<TokensView>;

  /**
   * Make new backup codes
   *
   * With the password and a code. The old ones are void.
   */
  regenerateBackupCodes(args: {
    /** Its code. */
    code: Secret;
    /** The second factor used. */
    method: MfaMethod;
    /** The current password. */
    password: Secret;
  }, options?: CallOptions): Promise<BackupCodesView>;

  /**
   * Sign up
   *
   * Answers alike whether the address is free or taken; the mail tells its owner. The account exists once the address
   * is proved.
   */
  register(args: {
    /** The address that will be proved. */
    email: string;
    /** As long as the installation's policy says: 10 to 128 characters unless it is configured otherwise. */
    password: string;
    /** BCP 47 language tag for mails. */
    locale?: string | null;
    /** The display name. */
    name?: string | null;
    /** Profile fields that the application has declared. */
    profile?: Record<string, unknown> | null;
    /** Where to go after the proof; must be on the tenant's list. */
    redirect_url?: string | null;
  }, options?: CallOptions): Promise<RegistrationView>;

  /** Remove a role from a user */
  removeRole(args: {
    /** The user */
    id: UserId;
    /** The role */
    role_id: RoleId;
  }, options?: CallOptions): Promise<null>;

  /**
   * Ask for a challenge
   *
   * For a claim with the key that shall be claimed, for a token with the device's id. The answer is signed by the server's
   * key over its time, the nonce and the challenge (`Statement` of `authkit-wire`), so that a device can believe the time
   * before it believes any certificate. Nothing is kept.
   */
  requestDeviceChallenge(args: {
    /** 16 random bytes of the device, base64url, which the server signs together with its time. */
    nonce: string;
    /** What for. */
    purpose: DevicePurpose;
    /** How it signs. */
    algorithm?: DeviceKeyAlgorithm | null;
    /** The device that wants a token. */
    device_id?: DeviceId | null;
    /** The key that shall be claimed, base64url: 32 bytes for EdDSA, 65 (uncompressed SEC 1) for ES256. */
    public_key?: string | null;
  }, options?: CallOptions): Promise<DeviceChallengeView>;

  /**
   * Send the proof's link again
   *
   * Answers alike whatever the address.
   */
  resendVerification(args: {
    /** The address. */
    email: string;
  }, options?: CallOptions): Promise<null>;

  /**
   * Remove a user's second factors
   *
   * For somebody who has lost them. The user's sessions end.
   */
  resetMfa(args: {
    /** The user */
    id: UserId;
  }, options?: CallOptions): Promise<null>;

  /**
   * Set a new password with a mailed token
   *
   * All sessions end. A second factor is asked for at the next sign-in as before.
   */
  resetPassword(args: {
    /** As long as the installation's policy says: 10 to 128 characters unless it is configured otherwise. */
    new_password: string;
    /** The token of the mailed link. */
    token: Secret;
  }, options?: CallOptions): Promise<null>;

  /**
   * Revoke a device
   *
   * At once and for good. It stays in the list; its key can be claimed anew with a new code, as a new device.
   */
  revokeDevice(args: {
    /** The device */
    id: DeviceId;
  }, options?: CallOptions): Promise<null>;

  /** End all sessions but the current one */
  revokeOtherSessions(args?: Record<string, never>, options?: CallOptions): Promise<RevokedView>;

  /** End one session */
  revokeSession(args: {
    /** The session */
    id: SessionId;
  }, options?: CallOptions): Promise<null>;

  /** Revoke a user's device */
  revokeUserDevice(args: {
    /** The device */
    id: DeviceId;
  }, options?: CallOptions): Promise<null>;

  /** End all sessions of a user */
  revokeUserSessions(args: {
    /** The user */
    id: UserId;
  }, options?: CallOptions): Promise<RevokedView>;

  /**
   * Send a heartbeat
   *
   * The device says that it is there, how it is and what it can do. What it leaves out stays as it was.
   */
  sendHeartbeat(args?: {
    /** What it can do, in short words; replaces the list. */
    capabilities?: string[] | null;
    /** How the device says that it is. */
    status?: DeviceHealth | null;
    /** The version of its software. */
    version?: string | null;
  }, options?: CallOptions): Promise<HeartbeatView>;

  /**
   * Take an address change back
   *
   * With the token that was mailed to the old address, within 72 hours. All sessions end, the password is void, and the old
   * address is mailed a link to set a new one. A second factor set up since the change is removed.
   */
  undoEmail(args: {
    /** The token of the link. */
    token: Secret;
  }, options?: CallOptions): Promise<null>;

  /** Lift the lock that wrong passwords put on a user */
  unlockUser(args: {
    /** The user */
    id: UserId;
  }, options?: CallOptions): Promise<AdminUserView>;

  /** Rename a device */
  updateDevice(args: {
    /** The device */
    id: DeviceId;
    /** What its owner calls it. */
    name: string;
  }, options?: CallOptions): Promise<DeviceView>;

  /**
   * Update the profile
   *
   * A field that is left out stays; `null` clears it.
   */
  updateMe(args?: {
    /** BCP 47 language tag. */
    locale?: string | null;
    /** The display name. */
    name?: string | null;
    /** The application's per-user preferences to set; a `null` value removes one. */
    preferences?: Record<string, unknown> | null;
    /** Declared profile fields to set; a `null` value removes one. */
    profile?: Record<string, unknown> | null;
  }, options?: CallOptions): Promise<UserView>;

  /**
   * Change a role
   *
   * A field that is left out stays. System roles cannot be changed.
   */
  updateRole(args: {
    /** The role */
    id: RoleId;
    /** What the role is for. */
    description?: string | null;
    /** Unique in the tenant. */
    name?: string | null;
    /** The role it inherits from; `null` for none. */
    parent_id?: RoleId | null;
    /** Replaces the list. */
    permissions?: string[] | null;
  }, options?: CallOptions): Promise<RoleView>;

  /**
   * Prove an address
   *
   * The account exists from here.
   */
  verifyEmail(args: {
    /** The token of the link. */
    token: Secret;
  }, options?: CallOptions): Promise<VerifiedView>;

  /**
   * Answer the second factor
   *
   * Each code counts once, and no `Idempotency-Key` is taken, because tokens are not kept: when the answer is lost, sign
   * in again.
   */
  verifyMfa(args: {
    /** The code. */
    code: Secret;
    /** The second factor used. */
    method: MfaMethod;
    /** The token of the attempt that the first factor opened. */
    mfa_token: Secret;
  }, options?: CallOptions): Promise<TokensView>;

  /**
   * Void a claim code
   *
   * One that was used is none any more: revoke the device.
   */
  voidDeviceClaim(args: {
    /** The claim */
    id: DeviceClaimId;
  }, options?: CallOptions): Promise<null>;
}

/** What each paged list holds. */
export interface Paged {
  listAudit: AuditView;
  listDevices: DeviceView;
  listRoles: RoleView;
  listSessions: SessionView;
  listUserDevices: DeviceView;
  listUserSessions: SessionView;
  listUsers: AdminUserView;
}

/** Every operation of the contract. */
export const OPERATIONS: readonly (keyof Operations)[] = [
  'activateUser',
  'assignRole',
  'changeEmail',
  'changePassword',
  'checkPermission',
  'claimDevice',
  'confirmEmail',
  'confirmTotp',
  'createDeviceClaim',
  'createRole',
  'deactivateMe',
  'deactivateUser',
  'deleteMe',
  'deleteRole',
  'disableTotp',
  'enrolTotp',
  'forgotPassword',
  'getAudit',
  'getDevice',
  'getDiscovery',
  'getJwks',
  'getMe',
  'getMfa',
  'getOwnDevice',
  'getRole',
  'getUser',
  'issueDeviceToken',
  'listAudit',
  'listDevices',
  'listOutbox',
  'listPermissions',
  'listRoles',
  'listSessions',
  'listUserDevices',
  'listUserSessions',
  'listUsers',
  'login',
  'logout',
  'reactivate',
  'refresh',
  'regenerateBackupCodes',
  'register',
  'removeRole',
  'requestDeviceChallenge',
  'resendVerification',
  'resetMfa',
  'resetPassword',
  'revokeDevice',
  'revokeOtherSessions',
  'revokeSession',
  'revokeUserDevice',
  'revokeUserSessions',
  'sendHeartbeat',
  'undoEmail',
  'unlockUser',
  'updateDevice',
  'updateMe',
  'updateRole',
  'verifyEmail',
  'verifyMfa',
  'voidDeviceClaim',
];
