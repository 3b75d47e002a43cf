//! How many calls a tenant may have under way at a provider, so that none takes all of what the provider gives us.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use contract::Owner;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// From this many tenants on, those without a call are forgotten.
const MANY_TENANTS: usize = 1024;

/// How long a call waits for a place.
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) struct Places {
    by_tenant: Mutex<HashMap<String, Arc<Semaphore>>>,
    places: usize,
}

impl Places {
    pub(super) fn new(places: usize) -> Self {
        Self { by_tenant: Mutex::default(), places }
    }

    /// Waits for a place; `None` where none became free in time.
    pub(super) async fn take(&self, owner: &Owner) -> Option<OwnedSemaphorePermit> {
        let places = self.of(tenant(owner));
        tokio::time::timeout(PATIENCE, places.acquire_owned()).await.ok()?.ok()
    }

    fn of(&self, tenant: &str) -> Arc<Semaphore> {
        let mut by_tenant = self.by_tenant.lock().unwrap_or_else(PoisonError::into_inner);
        if by_tenant.len() >= MANY_TENANTS {
            by_tenant.retain(|_, places| Arc::strong_count(places) > 1 || places.available_permits() < self.places);
        }
        let places = by_tenant.entry(tenant.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(self.places)));
        Arc::clone(places)
    }
}

/// Anonymous sessions share the places of one tenant: there may be any number of them.
fn tenant(owner: &Owner) -> &str {
    match owner {
        Owner::Anonymous { .. } => "anonymous",
        Owner::User { tenant_id, .. } => tenant_id.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(tenant: &str) -> Owner {
        Owner::User { tenant_id: tenant.parse().unwrap(), user_id: "user_1".parse().unwrap() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_tenant_waits_for_its_own_places_only() {
        let places = Places::new(1);
        let held = places.take(&user("tenant_1")).await.unwrap();
        assert!(places.take(&user("tenant_2")).await.is_some());
        assert!(places.take(&user("tenant_1")).await.is_none(), "time moves when all wait, and none became free");
        drop(held);
        assert!(places.take(&user("tenant_1")).await.is_some());
    }
}
