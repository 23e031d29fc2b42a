//! Switching accounts off and on, and putting them up for deletion.

use super::{
    AccountChange, Accounts, TokenPurpose, User, credentials_changed, passwords::confirm, push_hook, push_hooks,
    reactivate, signed_in,
};
use crate::{
    Error, Origin, Principal, Result, TRIES, audit,
    auth::Lockout,
    later,
    notices::{self, AccountEvent},
    ports::{Operation, OperationKind, Scope, Unit},
    rbac::{keep_an_admin, require_reach},
};
use authkit_wire::{AdminUserView, ErrorCode, PasswordConfirmRequest, UserId, UserStatus};

impl Accounts {
    /// Deactivates the own account, given the password or a fresh sign-in. The mail about it holds the way back.
    ///
    /// # Errors
    /// `auth.invalid_credentials`, `auth.step_up_required`, `role.last_admin`, `auth.refused_by_application`.
    pub async fn deactivate_me(
        &self,
        origin: &Origin,
        principal: &Principal,
        request: PasswordConfirmRequest,
    ) -> Result<()> {
        let user = signed_in(&self.cx, principal).await?;
        confirm(&self.cx, origin, principal, &user, request.password.as_ref()).await?;
        self.set_status(origin, Some(principal), user, UserStatus::Deactivated).await?;
        Ok(())
    }

    /// Puts the own account up for deletion, given the password or a fresh sign-in. It is closed at once; the mail about
    /// it holds the way back, for the grace period.
    ///
    /// # Errors
    /// `auth.invalid_credentials`, `auth.step_up_required`, `role.last_admin`, `auth.refused_by_application`.
    pub async fn delete_me(
        &self,
        origin: &Origin,
        principal: &Principal,
        request: PasswordConfirmRequest,
    ) -> Result<()> {
        let user = signed_in(&self.cx, principal).await?;
        confirm(&self.cx, origin, principal, &user, request.password.as_ref()).await?;
        self.set_status(origin, Some(principal), user, UserStatus::PendingDeletion).await?;
        Ok(())
    }

    /// Deactivates a user and ends its sessions. `principal` is `None` for an operator. A user who is not active stays
    /// as they are, but loses the way back that they were mailed.
    ///
    /// # Errors
    /// `auth.forbidden` (also for the own account: that asks for the password), `account.not_found`,
    /// `role.exceeds_caller`, `role.last_admin`, `auth.refused_by_application`.
    pub async fn deactivate(
        &self,
        origin: &Origin,
        principal: Option<&Principal>,
        id: UserId,
    ) -> Result<AdminUserView> {
        let user = self.administered(origin, principal, "users:write", id).await?;
        require_reach(&self.cx, principal, &user).await?;
        if !user.is_active() {
            self.shut_way_back(origin, principal, &user).await?;
            return self.admin_view(user).await;
        }
        if principal.is_some_and(|principal| principal.user == id) {
            keep_an_admin(&self.cx, &user).await?;
            return Err(Error::new(ErrorCode::Forbidden, "Deactivate your own account with your password."));
        }
        let user = self.set_status(origin, principal, user, UserStatus::Deactivated).await?;
        self.admin_view(user).await
    }

    /// Activates a user, also one whose deletion is pending.
    ///
    /// # Errors
    /// `auth.forbidden`, `account.not_found`, `role.exceeds_caller`, `auth.refused_by_application`.
    pub async fn activate(&self, origin: &Origin, principal: Option<&Principal>, id: UserId) -> Result<AdminUserView> {
        let user = self.administered(origin, principal, "users:write", id).await?;
        require_reach(&self.cx, principal, &user).await?;
        let user =
            if user.is_active() { user } else { self.set_status(origin, principal, user, UserStatus::Active).await? };
        self.admin_view(user).await
    }

    /// Lifts the lock that wrong passwords and codes put on a user.
    ///
    /// # Errors
    /// `auth.forbidden`, `account.not_found`, `role.exceeds_caller`.
    pub async fn unlock(&self, origin: &Origin, principal: Option<&Principal>, id: UserId) -> Result<AdminUserView> {
        let cx = &*self.cx;
        let user = self.administered(origin, principal, "users:unlock", id).await?;
        require_reach(cx, principal, &user).await?;
        let operation = Operation::new(OperationKind::Unlock, user.tenant).on(user.id).by(principal);
        cx.before(&operation, None).await?;
        let administrator = audit::administrator(cx, principal).await?;
        for _ in 0..TRIES {
            let mut unit = Unit::new();
            unit.extend(require_reach(cx, principal, &user).await?);
            unit.extend(Lockout::all_of(cx, &user).map(|lockout| lockout.clear()));
            let entry = audit::entry(cx, origin, "user.unlocked").by(principal).subject(user.id).tenant(user.tenant);
            unit.push(entry.seen(administrator.as_ref()).build());
            push_hook(cx, &mut unit, &operation);
            if cx.try_commit(Scope::Tenant(user.tenant), unit).await?.is_some() {
                return self.admin_view(user).await;
            }
        }
        Err(ErrorCode::Conflict.into())
    }

    /// The user that an administrator with `permission`, or an operator, acts on.
    pub(super) async fn administered(
        &self,
        origin: &Origin,
        principal: Option<&Principal>,
        permission: &str,
        id: UserId,
    ) -> Result<User> {
        if let Some(principal) = principal {
            principal.require(permission)?;
        }
        let tenant = principal.map_or(origin.tenant, |principal| principal.tenant);
        self.cx.store.find_user(tenant, id).await?.ok_or_else(|| ErrorCode::UserNotFound.into())
    }

    /// Takes the mailed way back from a user who has switched the account off.
    async fn shut_way_back(&self, origin: &Origin, principal: Option<&Principal>, user: &User) -> Result<()> {
        let cx = &*self.cx;
        let operation = Operation::new(OperationKind::ChangeStatus, user.tenant).on(user.id).by(principal);
        let operation = operation.status(user.status).action("user.deactivated");
        cx.before(&operation, None).await?;
        let administrator = audit::administrator(cx, principal).await?;
        for _ in 0..TRIES {
            let unchanged = require_reach(cx, principal, user).await?;
            let mut unit =
                Unit::new().with(AccountChange::DeleteTokensOf { user: user.id, purpose: TokenPurpose::Reactivate });
            unit.extend(unchanged);
            let entry = audit::entry(cx, origin, "user.deactivated").by(principal).subject(user.id).tenant(user.tenant);
            unit.push(entry.seen(administrator.as_ref()).data("way_back", "shut").build());
            push_hook(cx, &mut unit, &operation);
            if cx.try_commit(Scope::Tenant(user.tenant), unit).await?.is_some() {
                return Ok(());
            }
        }
        Err(ErrorCode::Conflict.into())
    }

    async fn set_status(
        &self,
        origin: &Origin,
        principal: Option<&Principal>,
        mut user: User,
        status: UserStatus,
    ) -> Result<User> {
        let cx = &*self.cx;
        let own = principal.is_some_and(|principal| principal.user == user.id);
        let (action, event) = match status {
            UserStatus::Active => ("user.activated", AccountEvent::AccountReactivated),
            UserStatus::PendingDeletion => ("user.deletion_scheduled", AccountEvent::DeletionScheduled),
            _ => ("user.deactivated", AccountEvent::AccountDeactivated),
        };
        let operation = Operation::new(OperationKind::ChangeStatus, user.tenant).on(user.id).by(principal);
        let operation = operation.status(status).action(action);
        cx.before(&operation, None).await?;
        let administrator = if own { None } else { audit::administrator(cx, principal).await? };
        for _ in 0..TRIES {
            let unchanged = require_reach(cx, principal, &user).await?;
            // An operator can make another administrator at any time; nobody else can.
            let guard = if principal.is_some() && status != UserStatus::Active {
                keep_an_admin(cx, &user).await?
            } else {
                None
            };
            let at = cx.now();
            let erase_at = (status == UserStatus::PendingDeletion).then(|| later(at, cx.settings.links.deletion_grace));
            let mut unit = Unit::new().with(AccountChange::SetStatus {
                user: user.id,
                security_version: user.security_version,
                status,
                erase_at,
                at,
            });
            // Both expect the roles to be as they were read. The earlier reading counts, so that both judgements hold.
            unit.extend(unchanged.or(guard));
            credentials_changed(&mut unit, &user, None);
            let entry = audit::entry(cx, origin, action).by(principal).subject(user.id).tenant(user.tenant);
            // The address and `User-Agent` of a request are those of who makes it.
            unit.push(entry.seen(if own { Some(&user) } else { administrator.as_ref() }).build());
            if own {
                let (row, token) = reactivate::way_back(cx, &user, status)?;
                unit.push(AccountChange::CreateToken(row));
                unit.push(notices::tell_with_way_back(cx, &user, event, token.secret()));
            } else {
                unit.push(notices::tell(cx, &user, event));
            }
            if status == UserStatus::Active {
                push_hook(cx, &mut unit, &operation);
            } else {
                push_hooks(cx, &mut unit, &operation);
            }
            if cx.try_commit(Scope::Tenant(user.tenant), unit).await?.is_some() {
                user.status = status;
                user.erase_at = erase_at;
                user.version += 1;
                user.security_version += 1;
                user.updated_at = at;
                return Ok(user);
            }
            let found = cx.store.find_user(user.tenant, user.id).await?;
            user = found.ok_or(ErrorCode::UserNotFound)?;
            if own && !user.is_active() {
                // An administrator was faster, and gives no way back.
                return Err(ErrorCode::InvalidToken.into());
            }
        }
        Err(ErrorCode::Conflict.into())
    }
}
