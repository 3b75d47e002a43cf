//! The port for the audit, and the chain: each record's hash is over the record before it, so that a row that is changed,
//! removed or put in between breaks every hash after it. What a decision is stands with each verb of the guard.
//!
//! The chain finds out what was changed by somebody who does not write the chain anew from there to its end. Whoever can
//! do that is found out by a hash that was kept elsewhere: `symphainy audit verify` prints one and takes one.

use async_trait::async_trait;
use contract::{
    TenantId, Timestamp,
    audit::{AuditEntry, AuditRecord},
};

use crate::{accounts::StoreError, secrets::sha256};

/// Records that are read at a time.
pub const MAX_AUDIT_PAGE: usize = 1_000;

/// The hash of a record, over everything before it.
pub type ChainHash = [u8; 32];

/// What the first record of all is chained to.
pub const CHAIN_START: ChainHash = [0; 32];

/// A record as it is kept. The text is hashed and not the entry, so that an old record stays what it was when entries
/// get new fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Counted from 1 without holes.
    pub number: u64,
    /// The entry as JSON.
    pub text: String,
    /// Stand beside the text, for those who look for them; a copy that differs is found by [`check_row`].
    pub at: Timestamp,
    pub tenant_id: Option<TenantId>,
    pub hash: ChainHash,
}

/// A place in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainPlace {
    /// 0 before the first record.
    pub number: u64,
    pub hash: ChainHash,
}

impl ChainPlace {
    pub const START: Self = Self { number: 0, hash: CHAIN_START };
}

/// Where the chain that is kept begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainEnds {
    /// The last record that is no longer kept.
    pub before: ChainPlace,
    /// The last record of all.
    pub last: ChainPlace,
}

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditBound {
    /// Older records go.
    pub since: Timestamp,
    /// Where there are more, the oldest go.
    pub records: u64,
}

/// Where the audit is kept.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Chains an entry to the last record, in one transaction.
    async fn append(&self, entry: AuditEntry) -> Result<ChainPlace, StoreError>;

    async fn chain_ends(&self) -> Result<ChainEnds, StoreError>;

    /// Records after this number, oldest first, at most `limit`.
    async fn audit_after(&self, number: u64, limit: usize) -> Result<Vec<AuditRow>, StoreError>;

    /// Records of a tenant before this number, newest first, at most `limit`.
    async fn audit_of(&self, tenant_id: &TenantId, before: u64, limit: usize) -> Result<Vec<AuditRow>, StoreError>;

    /// Forgets records from the oldest on, at most `limit`, as far as the bound asks for it; how many. The chain goes on
    /// from the last one that was forgotten.
    async fn trim_audit(&self, bound: AuditBound, limit: usize) -> Result<u64, StoreError>;
}

/// The next row of a chain; a plug calls it inside its transaction.
pub fn next_row(last: ChainPlace, entry: &AuditEntry) -> AuditRow {
    let number = last.number + 1;
    let text = serde_json::to_string(entry).expect("an entry is JSON");
    let hash = link(&last.hash, number, &text);
    AuditRow { number, text, at: entry.at, tenant_id: entry.tenant_id.clone(), hash }
}

fn link(previous: &ChainHash, number: u64, text: &str) -> ChainHash {
    sha256(&[previous, &number.to_be_bytes(), text.as_bytes()])
}

/// Why a chain does not hold, and where. Nothing before that record is in doubt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenChain {
    #[error("the record {0} was changed, or one before it was exchanged")]
    Changed(u64),
    #[error("the record {0} is missing")]
    Missing(u64),
    #[error("the record {0} stands under another tenant or time than it says")]
    Misfiled(u64),
    #[error("the chain ends with the record {found} and should end with {expected}")]
    Ends { found: u64, expected: u64 },
    #[error("the record {0} has another hash than the one that was kept elsewhere")]
    OtherHash(u64),
}

/// Whether a row follows upon the place before it.
pub fn check_row(before: ChainPlace, row: &AuditRow) -> Result<ChainPlace, BrokenChain> {
    if row.number != before.number + 1 {
        return Err(BrokenChain::Missing(before.number + 1));
    }
    if link(&before.hash, row.number, &row.text) != row.hash {
        return Err(BrokenChain::Changed(row.number));
    }
    let entry: Option<AuditEntry> = serde_json::from_str(&row.text).ok();
    match entry {
        Some(entry) if entry.at == row.at && entry.tenant_id == row.tenant_id => {
            Ok(ChainPlace { number: row.number, hash: row.hash })
        }
        Some(_) | None => Err(BrokenChain::Misfiled(row.number)),
    }
}

impl AuditRow {
    /// The record as a client reads it; `None` where the text is none of ours.
    pub fn record(&self) -> Option<AuditRecord> {
        let entry = serde_json::from_str(&self.text).ok()?;
        Some(AuditRecord { number: self.number, entry, hash: hex(&self.hash) })
    }
}

/// A hash as people copy it.
pub fn hex(hash: &ChainHash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A hash as people copied it.
pub fn from_hex(text: &str) -> Option<ChainHash> {
    let digits = text.as_bytes();
    let mut hash = [0; 32];
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use contract::audit::{AuditAction, AuditOutcome};

    use super::*;

    fn entry(second: i64) -> AuditEntry {
        AuditEntry {
            at: Timestamp::from_millis(second * 1_000),
            action: AuditAction::SignIn,
            outcome: AuditOutcome::Allowed,
            code: None,
            user_id: None,
            tenant_id: Some("tenant_1".parse().unwrap()),
            subject: None,
            address: None,
            request_id: None,
        }
    }

    fn chain(length: i64) -> Vec<AuditRow> {
        let mut last = ChainPlace::START;
        let mut rows = Vec::new();
        for second in 0..length {
            let row = next_row(last, &entry(second));
            last = ChainPlace { number: row.number, hash: row.hash };
            rows.push(row);
        }
        rows
    }

    fn check(rows: &[AuditRow]) -> Result<ChainPlace, BrokenChain> {
        rows.iter().try_fold(ChainPlace::START, check_row)
    }

    #[test]
    fn whatever_is_done_to_a_row_is_found_and_named() {
        assert_eq!(check(&chain(5)).unwrap().number, 5);
        type Harm = fn(&mut Vec<AuditRow>);
        let harms: [(Harm, BrokenChain); 6] = [
            (|rows| rows[2].text = rows[2].text.replace("allowed", "refused"), BrokenChain::Changed(3)),
            (|rows| drop(rows.remove(2)), BrokenChain::Missing(3)),
            (|rows| rows.swap(1, 2), BrokenChain::Missing(2)),
            (|rows| rows[2].tenant_id = None, BrokenChain::Misfiled(3)),
            (|rows| rows[2].at = Timestamp::from_millis(1), BrokenChain::Misfiled(3)),
            (
                |rows| rows[2] = next_row(ChainPlace { number: 2, ..ChainPlace::START }, &entry(2)),
                BrokenChain::Changed(3),
            ),
        ];
        for (harm, expected) in harms {
            let mut rows = chain(5);
            harm(&mut rows);
            assert_eq!(check(&rows), Err(expected));
        }
    }

    #[test]
    fn a_hash_survives_being_copied() {
        let hash = chain(1)[0].hash;
        assert_eq!(from_hex(&hex(&hash)), Some(hash));
        for text in ["", "00", &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(from_hex(text), None, "{text}");
        }
    }
}
