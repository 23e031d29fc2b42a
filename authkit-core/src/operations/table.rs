//! Which service each operation calls. The server's tests hold it to the routes.

use super::{
    Access::{Device, Own, Permission, Public, SignedIn},
    Input::{Body, Nothing, Query},
    Operation,
};
use crate::{Error, Result};
use authkit_wire::{OutboxView, PermissionsView};
use serde::Serialize;
use serde_json::Value;

/// `name(access, [path parameters], input) |operations, call| the service's future;`
macro_rules! table {
    ($($name:ident($access:expr, $path:expr, $input:expr) |$all:ident, $call:ident| $run:expr;)+) => {
        pub(super) static TABLE: &[Operation] = &[$(Operation {
            name: stringify!($name),
            access: $access,
            path: &$path,
            input: $input,
            run: |$all, $call| Box::pin(async move { answer(Box::pin($run).await?) }),
        }),+];
    };
}

fn answer<T: Serialize>(view: T) -> Result<Value> {
    serde_json::to_value(view).map_err(Error::internal)
}

const PAGE: super::Input = Query(&["limit", "cursor"]);
const USERS: super::Input = Query(&["email", "name", "status", "role", "limit", "cursor"]);
const ROLES: super::Input = Query(&["parent_id", "name", "system", "limit", "cursor"]);
const DEVICES: super::Input = Query(&["owner_id", "status", "limit", "cursor"]);
const AUDIT: super::Input = Query(&["action", "actor", "subject", "outcome", "from", "until", "limit", "cursor"]);

table! {
    register(Public, [], Body) |all, call| all.accounts.register(&call.origin, call.body()?);
    verifyEmail(Public, [], Body) |all, call| all.accounts.verify_email(&call.origin, call.body()?);
    resendVerification(Public, [], Body) |all, call| all.accounts.resend_verification(&call.origin, call.body()?);
    login(Public, [], Body) |all, call| all.sign_in.login(&call.origin, call.body()?);
    verifyMfa(Public, [], Body) |all, call| all.sign_in.verify_mfa(&call.origin, call.body()?);
    refresh(Public, [], Body) |all, call| async {
        let request: authkit_wire::RefreshRequest = call.body()?;
        all.sessions.refresh(&call.origin, &request.refresh_token, call.key).await
    };
    logout(Public, [], Body) |all, call| async {
        let request: authkit_wire::LogoutRequest = call.body()?;
        all.sessions.logout(&call.origin, call.bearer, request.refresh_token.as_ref()).await
    };
    forgotPassword(Public, [], Body) |all, call| all.accounts.forgot_password(&call.origin, call.body()?);
    resetPassword(Public, [], Body) |all, call| all.accounts.reset_password(&call.origin, call.body()?);
    changePassword(Own, [], Body) |all, call|
        all.accounts.change_password(&call.origin, call.caller()?, call.body()?);
    confirmEmail(Public, [], Body) |all, call| all.accounts.confirm_email_change(&call.origin, call.body()?);
    undoEmail(Public, [], Body) |all, call| all.accounts.undo_email_change(&call.origin, call.body()?);
    reactivate(Public, [], Body) |all, call| all.accounts.reactivate(&call.origin, call.body()?);

    getMe(Own, [], Query(&[])) |all, call| all.accounts.get_me(call.caller()?);
    updateMe(Own, [], Body) |all, call| all.accounts.update_me(&call.origin, call.caller()?, call.body()?, None);
    changeEmail(Own, [], Body) |all, call|
        all.accounts.request_email_change(&call.origin, call.caller()?, call.body()?);
    deactivateMe(Own, [], Body) |all, call| all.accounts.deactivate_me(&call.origin, call.caller()?, call.body()?);
    deleteMe(Own, [], Body) |all, call| all.accounts.delete_me(&call.origin, call.caller()?, call.body()?);

    getMfa(Own, [], Query(&[])) |all, call| all.mfa.status(call.caller()?);
    enrolTotp(Own, [], Nothing) |all, call| all.mfa.enrol_totp(&call.origin, call.caller()?);
    confirmTotp(Own, [], Body) |all, call| all.mfa.confirm_totp(&call.origin, call.caller()?, call.body()?);
    disableTotp(Own, [], Body) |all, call| all.mfa.disable_totp(&call.origin, call.caller()?, call.body()?);
    regenerateBackupCodes(Own, [], Body) |all, call|
        all.mfa.regenerate_backup_codes(&call.origin, call.caller()?, call.body()?);

    listSessions(Own, [], PAGE) |all, call|
        all.sessions.list(call.caller()?, call.query().cursor(), call.query().limit()?);
    revokeSession(Own, ["id"], Nothing) |all, call|
        all.sessions.revoke(&call.origin, call.caller()?, call.path("id")?);
    revokeOtherSessions(Own, [], Nothing) |all, call| all.sessions.revoke_others(&call.origin, call.caller()?);

    listRoles(Permission("roles:read"), [], ROLES) |all, call| all.roles.list(
        call.caller()?, call.query().role_filter()?, call.query().cursor(), call.query().limit()?);
    createRole(Permission("roles:write"), [], Body) |all, call|
        all.roles.create(&call.origin, Some(call.caller()?), call.body()?);
    getRole(Permission("roles:read"), ["id"], Query(&[])) |all, call| all.roles.get(call.caller()?, call.path("id")?);
    updateRole(Permission("roles:write"), ["id"], Body) |all, call|
        all.roles.update(&call.origin, Some(call.caller()?), call.path("id")?, call.body()?, None);
    deleteRole(Permission("roles:write"), ["id"], Nothing) |all, call|
        all.roles.delete(&call.origin, Some(call.caller()?), call.path("id")?, None);
    assignRole(Permission("roles:assign"), ["id", "role_id"], Nothing) |all, call|
        all.roles.assign(&call.origin, Some(call.caller()?), call.path("id")?, call.path("role_id")?);
    removeRole(Permission("roles:assign"), ["id", "role_id"], Nothing) |all, call|
        all.roles.remove(&call.origin, Some(call.caller()?), call.path("id")?, call.path("role_id")?);

    listPermissions(SignedIn, [], Query(&[])) |all, _call| async {
        Ok::<_, Error>(PermissionsView { data: all.roles.permissions() })
    };
    checkPermission(SignedIn, [], Body) |all, call| all.roles.check(call.caller()?, call.body()?);

    listUsers(Permission("users:read"), [], USERS) |all, call| all.accounts.list_users(
        call.caller()?, call.query().user_filter()?, call.query().cursor(), call.query().limit()?);
    getUser(Permission("users:read"), ["id"], Query(&[])) |all, call|
        all.accounts.get_user(call.caller()?, call.path("id")?);
    activateUser(Permission("users:write"), ["id"], Nothing) |all, call|
        all.accounts.activate(&call.origin, Some(call.caller()?), call.path("id")?);
    deactivateUser(Permission("users:write"), ["id"], Nothing) |all, call|
        all.accounts.deactivate(&call.origin, Some(call.caller()?), call.path("id")?);
    unlockUser(Permission("users:unlock"), ["id"], Nothing) |all, call|
        all.accounts.unlock(&call.origin, Some(call.caller()?), call.path("id")?);
    resetMfa(Permission("mfa:reset"), ["id"], Nothing) |all, call|
        all.mfa.reset(&call.origin, Some(call.caller()?), call.path("id")?);
    listUserSessions(Permission("sessions:read"), ["id"], PAGE) |all, call| all.sessions.list_of(
        call.caller()?, call.path("id")?, call.query().cursor(), call.query().limit()?);
    revokeUserSessions(Permission("sessions:revoke"), ["id"], Nothing) |all, call|
        all.sessions.revoke_all_of(&call.origin, Some(call.caller()?), call.path("id")?);

    listAudit(Permission("audit:read"), [], AUDIT) |all, call| all.audit.list(
        &call.origin, call.caller()?, call.query().audit_filter()?, call.query().cursor(), call.query().limit()?);
    getAudit(Permission("audit:read"), ["id"], Query(&[])) |all, call|
        all.audit.get(&call.origin, call.caller()?, call.path("id")?);

    requestDeviceChallenge(Public, [], Body) |all, call| async { all.devices.challenge(&call.origin, &call.body()?) };
    claimDevice(Public, [], Body) |all, call| all.devices.claim(&call.origin, call.body()?);
    issueDeviceToken(Public, [], Body) |all, call| all.devices.token(&call.origin, call.body()?);
    sendHeartbeat(Device, [], Body) |all, call| all.devices.heartbeat(call.device()?, call.body()?);
    getOwnDevice(Device, [], Query(&[])) |all, call| all.devices.get_self(call.device()?);
    createDeviceClaim(Own, [], Body) |all, call|
        all.devices.create_claim(&call.origin, call.caller()?, call.body()?);
    voidDeviceClaim(Own, ["id"], Nothing) |all, call|
        all.devices.void_claim(&call.origin, call.caller()?, call.path("id")?);
    listDevices(Own, [], PAGE) |all, call|
        all.devices.list(call.caller()?, None, call.query().cursor(), call.query().limit()?);
    getDevice(Own, ["id"], Query(&[])) |all, call| all.devices.get(call.caller()?, call.path("id")?);
    updateDevice(Own, ["id"], Body) |all, call|
        all.devices.rename(&call.origin, call.caller()?, call.path("id")?, call.body()?);
    revokeDevice(Own, ["id"], Nothing) |all, call|
        all.devices.revoke(&call.origin, call.caller()?, call.path("id")?);
    listUserDevices(Permission("devices:read"), [], DEVICES) |all, call| all.devices.list_all(
        call.caller()?, call.query().device_filter()?, call.query().cursor(), call.query().limit()?);
    revokeUserDevice(Permission("devices:revoke"), ["id"], Nothing) |all, call|
        all.devices.revoke_any(&call.origin, Some(call.caller()?), call.path("id")?);

    listOutbox(Public, [], Query(&["to"])) |all, call| async {
        let data = all.notices.development_outbox(call.origin.tenant, call.query().text("to")).await?;
        Ok::<_, Error>(OutboxView { data })
    };
}
