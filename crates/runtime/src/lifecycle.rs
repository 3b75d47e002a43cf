//! The life of a Runtime in a process: it recovers, works, and stops without losing anything.

use std::{sync::Arc, time::Duration};

use tracing::{info, warn};

use crate::{
    catalogue::Catalogue,
    client::RuntimeClient,
    port::{Clock, Objects, Store, StoreError},
    worker::{RuntimeConfig, Shared},
};

/// A working Runtime. Keep it for as long as it should work, and `stop` it in the end.
pub struct Runtime {
    shared: Arc<Shared>,
}

impl Runtime {
    /// Takes up what had not ended, and then works. When this returns, every unfinished execution is queued or waits for its time.
    pub async fn start(
        store: Arc<dyn Store>,
        objects: Arc<dyn Objects>,
        clock: Arc<dyn Clock>,
        catalogue: Catalogue,
        config: RuntimeConfig,
    ) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared::new(store, objects, clock, catalogue, config));
        let recovered = shared.recover().await?;
        if recovered > 0 {
            info!(executions = recovered, "unfinished executions go on");
        }
        shared.tasks.spawn(Arc::clone(&shared).keep_time());
        Ok(Self { shared })
    }

    pub fn client(&self) -> RuntimeClient {
        RuntimeClient::new(Arc::clone(&self.shared))
    }

    /// Takes nothing more up and waits for what runs, at most `patience`. What still runs then goes on at the next start.
    pub async fn stop(self, patience: Duration) {
        self.shared.stopping.cancel();
        self.shared.tasks.close();
        if tokio::time::timeout(patience, self.shared.tasks.wait()).await.is_err() {
            warn!(executions = self.shared.tasks.len(), "executions are still running; they go on at the next start");
        }
    }
}
