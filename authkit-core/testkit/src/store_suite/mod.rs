//! The suite that every store passes: each case is a sentence of the documentation of a trait or a change in
//! [`authkit_core::ports::Store`].
//!
//! A store of your own runs it with one line:
//!
//! ```
//! use std::sync::Arc;
//! use authkit_core::{memory::MemoryStore, ports::Store};
//!
//! async fn make() -> Arc<dyn Store> {
//!     Arc::new(MemoryStore::default())
//! }
//!
//! authkit_testkit::store_suite!(make);
//! # fn main() {}
//! ```
//!
//! `make` returns an empty store for each case, as an `Arc<dyn Store>` or as a [`Made`] that keeps more alive.

#[allow(missing_docs, clippy::unwrap_used)]
pub mod accounts;
#[allow(missing_docs, clippy::unwrap_used)]
pub mod attempts;
#[allow(missing_docs, clippy::unwrap_used)]
pub mod audit;
mod build;
#[allow(missing_docs, clippy::unwrap_used)]
pub mod devices;
#[allow(missing_docs, clippy::unwrap_used)]
pub mod feed;
#[allow(missing_docs, clippy::unwrap_used)]
pub mod idempotency;
#[allow(missing_docs, clippy::unwrap_used)]
pub mod keys;
#[allow(missing_docs, clippy::unwrap_used)]
pub mod leases;
#[allow(missing_docs, clippy::unwrap_used)]
pub mod mfa;
#[allow(missing_docs, clippy::unwrap_used)]
pub mod notices;
#[allow(missing_docs, clippy::unwrap_used)]
pub mod roles;
#[allow(missing_docs, clippy::unwrap_used)]
pub mod sessions;
#[allow(missing_docs, clippy::unwrap_used)]
pub mod tenants;
#[allow(missing_docs, clippy::unwrap_used)]
pub mod tokens;
#[allow(missing_docs, clippy::unwrap_used)]
pub mod units;

use authkit_core::{
    ports::{Applied, Conflict, Scope, Store, StoreError, Unit},
    wire::TenantId,
};
use std::{any::Any, future::Future, sync::Arc};

/// A store, and what must live as long as it.
pub struct Made {
    /// The store.
    pub store: Arc<dyn Store>,
    /// For example its folder.
    pub keep: Box<dyn Any + Send>,
}

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Made").field("store", &self.store).finish_non_exhaustive()
    }
}

impl<S: Store + 'static> From<Arc<S>> for Made {
    fn from(store: Arc<S>) -> Self {
        Self { store, keep: Box::new(()) }
    }
}

impl From<Arc<dyn Store>> for Made {
    fn from(store: Arc<dyn Store>) -> Self {
        Self { store, keep: Box::new(()) }
    }
}

/// Runs one case on a fresh store. [`store_suite!`](crate::store_suite!) calls it.
///
/// # Panics
/// When the case fails.
#[expect(clippy::expect_used, reason = "a test that cannot start fails")]
pub fn run<M, F, C>(make: impl FnOnce() -> M, case: impl FnOnce(Arc<dyn Store>) -> C)
where
    M: Future<Output = F>,
    F: Into<Made>,
    C: Future<Output = ()>,
{
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let made: Made = make().await.into();
        case(Arc::clone(&made.store)).await;
        drop(made);
    });
}

/// Commits in the tenant.
async fn commit(store: &dyn Store, tenant: TenantId, unit: Unit) -> Result<Applied, StoreError> {
    store.commit(Scope::Tenant(tenant), unit).await
}

/// Commits in the tenant what must succeed.
async fn must(store: &dyn Store, tenant: TenantId, unit: Unit) -> Applied {
    match commit(store, tenant, unit).await {
        Ok(applied) => applied,
        Err(error) => panic!("the unit was refused: {error:?}"),
    }
}

/// Commits across tenants what must succeed.
async fn must_system(store: &dyn Store, unit: Unit) -> Applied {
    match store.commit(Scope::System, unit).await {
        Ok(applied) => applied,
        Err(error) => panic!("the unit was refused: {error:?}"),
    }
}

/// Fails unless the change at `place` conflicted for `reason`.
#[track_caller]
fn assert_conflict(result: &Result<Applied, StoreError>, place: usize, reason: Conflict) {
    match result {
        Err(error) if error.conflict() == Some((place, reason)) => {}
        other => panic!("expected a conflict ({reason:?}) of change {place}, got {other:?}"),
    }
}

/// Runs as many copies of a task at once as it is given arguments.
#[expect(clippy::expect_used, reason = "a task that panics fails the case")]
async fn parallel<A, F, T>(arguments: impl IntoIterator<Item = A>, task: impl Fn(A) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let tasks: Vec<_> = arguments.into_iter().map(|argument| tokio::spawn(task(argument))).collect();
    let mut results = Vec::with_capacity(tasks.len());
    for task in tasks {
        results.push(task.await.expect("the task ends"));
    }
    results
}

/// Makes a `#[test]` of each case of the suite, for the stores that an `async fn` makes.
/// See the [module](mod@crate::store_suite).
#[macro_export]
macro_rules! store_suite {
    ($make:path) => {
        $crate::store_cases! { $make;
                    units::every_change_of_a_unit_is_applied
                    units::a_unit_with_a_conflict_leaves_nothing
                    units::the_first_conflict_is_told
                    units::an_empty_unit_commits
                    units::a_tenants_unit_inserts_nothing_of_another
                    units::conditions_need_a_tenant
                    units::the_installations_rows_need_the_system_scope
                    units::many_units_at_once_are_applied_each_as_a_whole
                    units::a_dropped_commit_is_whole_or_nothing
                    units::reads_see_what_was_committed
                    accounts::a_user_is_kept_as_it_was
                    accounts::an_address_is_taken_once_in_a_tenant
                    accounts::parallel_creations_of_an_address_have_one_winner
                    accounts::a_profile_is_set_once_per_version
                    accounts::setting_a_password_grows_the_versions_and_the_history
                    accounts::the_history_keeps_the_newest
                    accounts::a_rehash_changes_nothing_but_the_hash
                    accounts::an_address_change_is_checked_like_a_creation
                    accounts::an_address_is_verified_once
                    accounts::status_and_factor_changes_grow_the_versions
                    accounts::only_an_active_user_of_the_same_version_signs_in
                    accounts::sign_in_and_password_change_exclude_each_other
                    accounts::users_are_listed_newest_first_by_page
                    accounts::users_are_filtered
                    accounts::users_of_another_tenant_are_invisible
                    tokens::a_registration_is_kept_renewed_and_consumed
                    tokens::registrations_of_an_address_are_listed_newest_first
                    tokens::registrations_of_an_address_go_together
                    tokens::a_token_is_consumed_once
                    tokens::a_token_is_consumed_by_one_of_many
                    tokens::tokens_of_a_purpose_go_together
                    tokens::tokens_since_a_time_go
                    tokens::what_expired_is_deleted
                    attempts::failures_are_counted_and_lock
                    attempts::parallel_attempts_do_not_exceed_the_limit
                    attempts::a_window_ends
                    attempts::each_lock_is_twice_as_long_up_to_the_longest
                    attempts::locks_are_forgotten_a_day_after_the_last
                    attempts::clearing_forgets
                    attempts::attempts_of_many_keys_are_read_at_once
                    attempts::stale_rows_are_deleted
                    mfa::an_authenticator_is_enrolled_confirmed_and_removed
                    mfa::a_confirmed_authenticator_is_not_replaced
                    mfa::a_step_is_accepted_once
                    mfa::parallel_steps_have_one_winner
                    mfa::backup_codes_are_replaced_and_used_once
                    sessions::a_session_is_kept_as_it_was
                    sessions::a_refresh_token_rotates_once
                    sessions::parallel_rotations_have_one_winner
                    sessions::a_session_ends_once
                    sessions::all_sessions_but_one_end
                    sessions::a_cap_ends_the_oldest_and_tells_of_them
                    sessions::sessions_are_listed_newest_first_by_page
                    sessions::last_seen_never_goes_back
                    sessions::many_sessions_are_touched_at_once
                    sessions::expired_sessions_are_deleted
                    sessions::a_session_that_is_used_is_not_swept
                    sessions::sessions_of_another_tenant_are_invisible
        devices::a_device_is_kept_as_it_was
                    devices::a_device_says_how_its_owner_is
                    devices::an_owner_is_held_while_active_and_of_the_same_version
                    devices::a_key_is_one_active_device_of_a_tenant
                    devices::an_owner_has_so_many_active_devices
                    devices::parallel_devices_do_not_exceed_the_number
                    devices::a_device_is_named_by_its_owner
                    devices::a_device_is_revoked_once
                    devices::all_devices_of_an_owner_are_revoked
                    devices::of_revoked_devices_the_oldest_are_forgotten
                    devices::what_a_device_says_is_noted_while_it_is_active
                    devices::a_device_is_seen_unless_that_is_known
                    devices::devices_are_listed_newest_first_by_page
                    devices::devices_of_another_tenant_are_invisible
                    devices::a_claim_is_kept_used_once_and_found_by_its_code
                    devices::a_claim_that_ran_out_is_not_used
                    devices::parallel_uses_of_a_claim_have_one_winner
                    devices::a_claim_is_voided_by_its_owner_while_unused
                    devices::all_open_claims_of_an_owner_are_voided
                    devices::an_owner_has_so_many_open_claims
                    devices::parallel_claims_do_not_exceed_the_number
                    devices::a_challenge_is_used_once
                    devices::parallel_uses_of_a_challenge_have_one_winner
                    devices::claims_and_challenges_that_are_over_are_deleted
                    keys::keys_are_kept_the_oldest_first
                    keys::a_key_is_retired_and_revoked_once
                    keys::retired_keys_are_deleted
                    feed::events_are_read_from_a_cursor_on
                    feed::a_start_finds_what_was_written_since
                    feed::a_units_events_come_only_when_it_commits
                    feed::readers_miss_nothing_of_parallel_writers
                    feed::a_waiting_reader_is_woken
                    feed::pruning_loses_nothing_new
                    feed::a_users_authority_is_read_as_a_whole
                    roles::a_role_is_kept_and_updated
                    roles::a_name_is_taken_once_in_a_tenant
                    roles::the_version_advances_once
                    roles::parallel_advances_have_one_winner
                    roles::a_role_in_use_is_not_deleted
                    roles::a_role_is_assigned_and_removed_once
                    roles::roles_of_many_users_are_read_at_once
                    roles::only_active_holders_count
                    roles::roles_of_another_tenant_are_invisible
                    tenants::a_tenant_is_kept_and_updated
                    tenants::slugs_and_hosts_are_taken_once
                    idempotency::a_record_is_reserved_once
                    idempotency::a_record_is_completed_and_found
                    idempotency::a_released_record_can_be_reserved
                    idempotency::an_expired_record_is_replaced
                    idempotency::expired_records_are_deleted
                    leases::a_lease_has_one_owner
                    leases::parallel_acquisitions_have_one_winner
                    leases::a_lease_that_ran_out_is_taken
                    audit::a_record_is_kept_as_it_was
                    audit::records_are_listed_newest_first_by_page
                    audit::records_are_filtered
                    audit::records_are_linked_once
                    audit::a_failed_link_leaves_nothing
                    audit::the_chain_is_read_in_order
                    audit::heads_are_read_in_order
                    audit::records_of_another_tenant_are_invisible
                    notices::a_notice_is_claimed_delivered_and_gone
                    notices::a_notice_waits_for_its_time
                    notices::notices_of_a_recipient_keep_their_order
                    notices::parallel_claims_share_no_notice
                    notices::a_lease_that_ran_out_is_claimed_again
                    notices::only_the_owner_settles_a_notice
                    notices::a_dead_notice_lets_the_next_pass
                    notices::leases_are_given_back
                    notices::expired_notices_are_deleted
                    notices::expired_notices_are_deleted_in_batches
                    notices::development_mail_is_kept_once
                    notices::the_newest_development_mail_is_kept
                }
    };
}

/// Part of [`store_suite!`](crate::store_suite).
#[doc(hidden)]
#[macro_export]
macro_rules! store_cases {
    ($make:path; $($domain:ident::$case:ident)+) => {$(
        #[test]
        fn $case() {
            $crate::store_suite::run($make, $crate::store_suite::$domain::$case);
        }
    )+};
}
