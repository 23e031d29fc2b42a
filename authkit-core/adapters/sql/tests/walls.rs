//! The schema itself keeps rows of one tenant from pointing into another, and tells nobody what the database said.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use authkit_core::{
    accounts::{AccountChange, OneTimeToken, TokenPurpose},
    devices::{DeviceChange, DeviceClaim, DeviceStore as _},
    mfa::{MfaChange, Totp},
    ports::{Change, Conflict, Scope, Store, StoreError, Unit},
    rbac::{Role, RoleChange},
    sessions::SessionChange,
    wire::{DeviceClaimId, OneTimeTokenId, RoleId, TenantId, UserId},
};
use common::{at, both, bytes, device, session, stored_user, user, uuid};
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use std::error::Error as _;

fn role(tenant: TenantId) -> Role {
    Role {
        id: RoleId::new(uuid()),
        tenant,
        name: "editor".to_owned(),
        named_at: at(0),
        description: String::new(),
        parent: None,
        permissions: Vec::new(),
        system: false,
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

fn claim(tenant: TenantId, owner: UserId) -> DeviceClaim {
    let mut code = [1; 33];
    code[1..].copy_from_slice(&bytes());
    DeviceClaim {
        id: DeviceClaimId::new(uuid()),
        tenant,
        owner,
        name: None,
        code,
        security_version: 1,
        created_at: at(0),
        expires_at: at(900),
        used: None,
        keep_until: at(900),
    }
}

#[tokio::test]
async fn devices_and_claims_go_with_their_owner() {
    for database in both().await {
        let store = &database.store;
        let user = stored_user(store, TenantId::new(uuid())).await;
        let (device, claim) = (device(user.tenant, user.id), claim(user.tenant, user.id));
        let unit = Unit::new()
            .with(DeviceChange::Create { device: Box::new(device.clone()), at_most: 1 })
            .with(DeviceChange::CreateClaim { claim: claim.clone(), at_most: 1 });
        store.commit(Scope::Tenant(user.tenant), unit).await.unwrap();
        assert_eq!(store.find_device(user.tenant, device.id).await.unwrap().unwrap().0, device);
        // Accounts are erased by hand so far.
        let sql = "DELETE FROM users WHERE id = $1";
        if database.url.starts_with("sqlite") {
            let mut connection = SqliteConnection::connect(&database.url).await.unwrap();
            sqlx::query("PRAGMA foreign_keys = ON").execute(&mut connection).await.unwrap();
            sqlx::query(sql).bind(user.id.uuid()).execute(&mut connection).await.unwrap();
        } else {
            let mut connection = PgConnection::connect(&database.url).await.unwrap();
            sqlx::query(sql).bind(user.id.uuid()).execute(&mut connection).await.unwrap();
        }
        assert!(store.find_device(user.tenant, device.id).await.unwrap().is_none());
        assert!(store.find_device_by_key(user.tenant, &device.key_thumbprint).await.unwrap().is_none());
        assert!(store.find_device_claim(user.tenant, &claim.code).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn no_row_points_into_another_tenant() {
    for database in both().await {
        let store = &database.store;
        let (ours, theirs) = (TenantId::new(uuid()), TenantId::new(uuid()));
        let own = stored_user(store, ours).await;
        let stranger = stored_user(store, theirs).await;
        let (own_role, their_role) = (role(ours), role(theirs));
        for (tenant, role) in [(ours, &own_role), (theirs, &their_role)] {
            let unit = Unit::new().with(RoleChange::Create(role.clone()));
            store.commit(Scope::Tenant(tenant), unit).await.unwrap();
        }
        let assign = |user, role| Change::from(RoleChange::Assign { user, role, by: None, at: at(0) });
        let changes: Vec<Change> = vec![
            SessionChange::Create(Box::new(session(ours, stranger.id))).into(),
            assign(stranger.id, own_role.id),
            assign(own.id, their_role.id),
            RoleChange::Create(Role { parent: Some(their_role.id), name: "child".to_owned(), ..role(ours) }).into(),
            RoleChange::Update(Role { parent: Some(their_role.id), version: 2, ..own_role.clone() }).into(),
            AccountChange::CreateToken(OneTimeToken {
                id: OneTimeTokenId::new(uuid()),
                tenant: ours,
                user: stranger.id,
                purpose: TokenPurpose::Mfa,
                token_hash: bytes(),
                data: Vec::new(),
                security_version: 1,
                created_at: at(0),
                expires_at: at(1),
            })
            .into(),
            MfaChange::Enrol(Totp {
                user: stranger.id,
                secret: vec![1],
                confirmed: false,
                last_step: 0,
                created_at: at(0),
            })
            .into(),
            MfaChange::ReplaceBackupCodes { user: stranger.id, codes: vec![bytes()], at: at(0) }.into(),
            DeviceChange::Create { device: Box::new(device(ours, stranger.id)), at_most: 1 }.into(),
            DeviceChange::CreateClaim { claim: claim(ours, stranger.id), at_most: 1 }.into(),
        ];
        for change in changes {
            let told = format!("{change:?}");
            let result = store.commit(Scope::Tenant(ours), Unit::new().with(change)).await;
            assert_eq!(result.unwrap_err().conflict(), Some((0, Conflict::Changed)), "{told}");
        }
    }
}

#[tokio::test]
async fn the_databases_text_stays_in_the_source() {
    for database in both().await {
        let tenant = TenantId::new(uuid());
        let mut user = user(tenant);
        // PostgreSQL takes no such text; SQLite takes it.
        user.name = Some("a\0b".to_owned());
        let unit = Unit::new().with(AccountChange::CreateUser(Box::new(user)));
        match database.store.commit(Scope::Tenant(tenant), unit).await {
            Ok(_) => assert!(database.url.starts_with("sqlite")),
            Err(error) => {
                assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
                assert_eq!(error.to_string(), "the store is unavailable");
                assert!(error.source().is_some());
            }
        }
    }
}
