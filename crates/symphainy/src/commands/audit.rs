//! `symphainy audit`: the chain of what the guard decided is checked or written out, on the data folder itself.

use contract::audit::AuditRecord;
use security_guard::{
    SecurityGuard,
    audit::{ChainHash, MAX_AUDIT_PAGE, from_hex, hex},
};
use serde_json::json;

use super::operator::{Folder, with_guard};
use crate::{
    cli::{AuditArguments, AuditVerb},
    exit::{Complaint, Exit},
    output::show_line,
    wiring,
};

pub(crate) async fn audit(arguments: AuditArguments) -> Result<Exit, Complaint> {
    match arguments.verb {
        AuditVerb::Verify { kept, json, house } => {
            let kept = kept.as_deref().map(read_kept).transpose()?;
            let work = async |guard: &SecurityGuard| verify(guard, kept, json).await;
            with_guard(&house, "audit", Folder::HasToBeThere, work).await
        }
        AuditVerb::Export { after, house } => {
            let work = async |guard: &SecurityGuard| export(guard, after).await;
            with_guard(&house, "audit", Folder::HasToBeThere, work).await
        }
    }
}

fn read_kept(text: &str) -> Result<(u64, ChainHash), Complaint> {
    let parts = text.split_once(':').and_then(|(number, hash)| Some((number.parse().ok()?, from_hex(hash)?)));
    parts.ok_or_else(|| Complaint::usage("--kept takes what an earlier `symphainy audit verify` printed: NUMBER:HASH."))
}

async fn verify(guard: &SecurityGuard, kept: Option<(u64, ChainHash)>, json: bool) -> Result<Exit, Complaint> {
    let checked = guard.verify_audit(kept).await.map_err(|error| wiring::guard_complaint(&error))?;
    let (exit, value, text) = match checked {
        Ok(chain) => {
            let head = format!("{}:{}", chain.last.number, hex(&chain.last.hash));
            let text = format!(
                "The audit holds: {} records, from {} on.\nKeep this elsewhere, and give it to --kept the next time:\n{head}",
                chain.records, chain.first
            );
            (Exit::Success, json!({ "holds": true, "records": chain.records, "kept": head }), text)
        }
        Err(broken) => {
            let text = format!("The audit does not hold: {broken}. What stands before it is not in doubt.");
            (Exit::Failed, json!({ "holds": false, "problem": broken.to_string() }), text)
        }
    };
    show_line(&if json { value.to_string() } else { text });
    Ok(exit)
}

async fn export(guard: &SecurityGuard, mut after: u64) -> Result<Exit, Complaint> {
    loop {
        let page = guard.export_audit(after, MAX_AUDIT_PAGE).await.map_err(|error| wiring::guard_complaint(&error))?;
        let Some(AuditRecord { number, .. }) = page.last() else { return Ok(Exit::Success) };
        after = *number;
        for record in &page {
            show_line(&serde_json::to_string(record).expect("a record is JSON"));
        }
    }
}
