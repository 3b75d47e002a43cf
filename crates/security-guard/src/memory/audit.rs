//! The audit in memory.

use std::collections::VecDeque;

use async_trait::async_trait;
use contract::{TenantId, audit::AuditEntry};

use super::MemoryAccounts;
use crate::{
    accounts::StoreError,
    audit::{AuditBound, AuditLog, AuditRow, ChainEnds, ChainPlace, next_row},
};

/// The records that are kept, oldest first, and the place before them.
pub(super) struct Chain {
    before: ChainPlace,
    rows: VecDeque<AuditRow>,
}

impl Default for Chain {
    fn default() -> Self {
        Self { before: ChainPlace::START, rows: VecDeque::new() }
    }
}

impl Chain {
    fn last(&self) -> ChainPlace {
        self.rows.back().map_or(self.before, |row| ChainPlace { number: row.number, hash: row.hash })
    }
}

#[async_trait]
impl AuditLog for MemoryAccounts {
    async fn append(&self, entry: AuditEntry) -> Result<ChainPlace, StoreError> {
        let chain = &mut self.lock().audit;
        chain.rows.push_back(next_row(chain.last(), &entry));
        Ok(chain.last())
    }

    async fn chain_ends(&self) -> Result<ChainEnds, StoreError> {
        let chain = &self.lock().audit;
        Ok(ChainEnds { before: chain.before, last: chain.last() })
    }

    async fn audit_after(&self, number: u64, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        let chain = &self.lock().audit;
        Ok(chain.rows.iter().filter(|row| row.number > number).take(limit).cloned().collect())
    }

    async fn audit_of(&self, tenant_id: &TenantId, before: u64, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        let chain = &self.lock().audit;
        let theirs = |row: &&AuditRow| row.number < before && row.tenant_id.as_ref() == Some(tenant_id);
        Ok(chain.rows.iter().rev().filter(theirs).take(limit).cloned().collect())
    }

    async fn trim_audit(&self, bound: AuditBound, limit: usize) -> Result<u64, StoreError> {
        let chain = &mut self.lock().audit;
        let mut forgotten = 0;
        while forgotten < limit as u64 {
            let too_many = chain.rows.len() as u64 > bound.records;
            let Some(row) = chain.rows.front().filter(|row| too_many || row.at < bound.since) else { break };
            chain.before = ChainPlace { number: row.number, hash: row.hash };
            chain.rows.pop_front();
            forgotten += 1;
        }
        Ok(forgotten)
    }
}
