//! Leases: one node at a time does a job.

use crate::{
    db::{Expect, Statement, values},
    plan::{Planned, Walls},
};
use authkit_core::{ports::StoreError, tenants::LeaseChange};

pub(crate) fn plan(change: LeaseChange, walls: Walls) -> Planned {
    walls.system()?;
    Ok(vec![match change {
        LeaseChange::Acquire { name, owner, now, until } => Statement::new(
            Expect::ONE,
            "INSERT INTO leases AS l (name, owner, until) VALUES ($1, $2, $4) \
             ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until \
             WHERE l.owner = $2 OR l.until <= $3",
            values![name, owner, now, until],
        ),
        LeaseChange::Release { name, owner } => {
            Statement::new(Expect::Any, "DELETE FROM leases WHERE name = $1 AND owner = $2", values![name, owner])
        }
        _ => return Err(StoreError::Unsupported),
    }])
}
