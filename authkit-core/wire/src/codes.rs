//! The registry of error codes: one list for HTTP problems, SDK exceptions and log lines.

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $title:literal;)+) => {
        /// A stable error code (`area.reason`) with its HTTP status and title.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {$(
            #[doc = $title]
            #[doc = concat!("(`", $code, "`, HTTP ", $status, ")")]
            $(#[$doc])*
            $name,
        )+}

        impl ErrorCode {
            /// Every code, in the order of the registry.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The code as clients see it, for example `auth.invalid_credentials`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {$(Self::$name => $code),+}
            }

            /// The HTTP status it is answered with.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self {$(Self::$name => $status),+}
            }

            /// A short text that is the same for every occurrence (RFC 9457, section 3.1.3).
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {$(Self::$name => $title),+}
            }
        }
    };
}

codes! {
    // request
    MalformedRequest = "request.malformed", 400, "The request could not be read";
    ValidationFailed = "request.validation_failed", 422, "A value was refused";
    UnsupportedMediaType = "request.unsupported_media_type", 415, "The content type is not supported";
    BodyTooLarge = "request.body_too_large", 413, "The request body is too large";
    RequestTimeout = "request.timeout", 408, "The request took too long to arrive";
    UntrustedHost = "request.untrusted_host", 421, "This server does not answer for that host";
    RouteNotFound = "request.route_not_found", 404, "There is no such route";
    MethodNotAllowed = "request.method_not_allowed", 405, "The route does not take this method";
    InvalidCursor = "request.invalid_cursor", 400, "The cursor is not one that this list gave out";
    InvalidLimit = "request.invalid_limit", 400, "The limit is out of range";
    InvalidFilter = "request.invalid_filter", 400, "The filter is not known";
    PreconditionFailed = "request.precondition_failed", 412, "The resource has changed since it was read";
    IdempotencyMismatch = "request.idempotency_mismatch", 422, "The idempotency key was used for another request";
    IdempotencyInProgress = "request.idempotency_in_progress", 409, "The first request with this idempotency key is still running";
    RateLimited = "request.rate_limited", 429, "Too many requests";
    CsrfFailed = "request.csrf_failed", 403, "The CSRF token is missing or wrong";
    // server
    Internal = "server.internal", 500, "Something went wrong here";
    Overloaded = "server.overloaded", 503, "The server is busy";
    Unavailable = "server.unavailable", 503, "The server cannot answer right now";
    Unsupported = "server.unsupported", 501, "This installation's store does not support the operation";
    Conflict = "server.conflict", 409, "Another request changed the same thing at the same time";
    // auth
    InvalidCredentials = "auth.invalid_credentials", 401, "The e-mail address or the password is wrong";
    Unauthenticated = "auth.unauthenticated", 401, "Sign-in is needed";
    InvalidToken = "auth.invalid_token", 401, "The access token is not valid";
    InvalidRefreshToken = "auth.invalid_refresh_token", 401, "The refresh token is not valid";
    InvalidOneTimeToken = "auth.invalid_token_or_expired", 400, "The link is not valid any more";
    StepUpRequired = "auth.step_up_required", 403, "A fresh sign-in is needed";
    InvalidMfaToken = "auth.invalid_mfa_token", 401, "The sign-in attempt is not valid any more";
    InvalidMfaCode = "auth.invalid_mfa_code", 401, "The code is wrong";
    MfaMethodUnavailable = "auth.mfa_method_unavailable", 422, "This method is not set up";
    TooManyAttempts = "auth.too_many_attempts", 429, "Too many wrong attempts";
    Forbidden = "auth.forbidden", 403, "This is not permitted";
    HookRefused = "auth.refused_by_application", 403, "The application refused this";
    // password
    PasswordTooShort = "password.too_short", 422, "The password is too short";
    PasswordTooLong = "password.too_long", 422, "The password is too long";
    PasswordTooWeak = "password.too_weak", 422, "The password is too easy to guess";
    PasswordBreached = "password.breached", 422, "The password is known from a data breach";
    PasswordReused = "password.reused", 422, "The password was used before";
    PasswordMissingClass = "password.missing_class", 422, "The password lacks a required kind of character";
    // account
    UserNotFound = "account.not_found", 404, "There is no such user";
    EmailTaken = "account.email_taken", 409, "The address belongs to another account";
    // mfa
    TotpAlreadyActive = "mfa.totp_already_active", 409, "TOTP is active already";
    TotpNotEnrolled = "mfa.totp_not_enrolled", 409, "TOTP is not set up";
    // session
    SessionNotFound = "session.not_found", 404, "There is no such session";
    // rbac
    RoleNotFound = "role.not_found", 404, "There is no such role";
    RoleNameTaken = "role.name_taken", 409, "Another role has this name";
    RoleCycle = "role.cycle", 409, "A role cannot inherit from itself";
    RoleIsSystem = "role.system", 409, "A system role cannot be changed";
    RoleAssigned = "role.assigned", 409, "The role is assigned to users";
    RoleHasChildren = "role.has_children", 409, "Other roles inherit from the role";
    RoleExceedsCaller = "role.exceeds_caller", 403, "The role grants what the caller does not hold";
    RoleLastAdmin = "role.last_admin", 409, "The last administrator cannot be removed";
    UnknownPermission = "role.unknown_permission", 422, "There is no such permission";
    // tenant
    TenantNotFound = "tenant.not_found", 404, "There is no such tenant";
    TenantMismatch = "tenant.mismatch", 400, "The host and the header name different tenants";
    TenantNameTaken = "tenant.name_taken", 409, "Another tenant has this name or host";
    // device
    DeviceNotFound = "device.not_found", 404, "There is no such device";
    DeviceClaimNotFound = "device.claim_not_found", 404, "There is no such open claim";
    InvalidDeviceClaim = "device.invalid_claim", 400, "The claim code does not count";
    InvalidDeviceProof = "device.invalid_proof", 401, "The device's proof does not count";
    DeviceKeyInUse = "device.key_in_use", 409, "The key belongs to another device";
    DeviceQuotaReached = "device.quota_reached", 409, "The user has as many devices or open claims as may be";
    // keys, audit, notices
    KeyNotFound = "key.not_found", 404, "There is no such signing key";
    AuditNotFound = "audit.not_found", 404, "There is no such audit record";
    RedirectNotAllowed = "redirect.not_allowed", 422, "The redirect address is not on the list of allowed ones";
}

impl ErrorCode {
    /// Whether the same request may succeed when it is sent again later.
    #[must_use]
    pub const fn retryable(self) -> bool {
        matches!(
            self,
            Self::RateLimited
                | Self::Overloaded
                | Self::Unavailable
                | Self::IdempotencyInProgress
                | Self::Conflict
                | Self::RequestTimeout
        )
    }
}

impl core::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::ErrorCode;

    #[test]
    fn codes_are_unique_and_dotted() {
        for (i, code) in ErrorCode::ALL.iter().enumerate() {
            assert!(code.as_str().contains('.'));
            assert!((400..600).contains(&code.status()));
            assert!(ErrorCode::ALL[..i].iter().all(|other| other.as_str() != code.as_str()));
        }
    }
}
