//! The main job in a real browser, where there is one.

use std::{
    io::{Write, stderr},
    path::Path,
    process::Command,
};

#[test]
fn the_main_job_is_done_in_a_browser() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let script = root.join("console/tests/run.mjs");
    let mut command = Command::new("node");
    command.arg(script).arg("main job").env("SYMPHAINY_BIN", env!("CARGO_BIN_EXE_symphainy")).current_dir(&root);
    let told = match command.output() {
        Ok(output) => {
            let told = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
            told
        }
        Err(error) => format!("The browser tests of the console were SKIPPED: node cannot be started ({error})."),
    };
    // Past the harness, which would keep to itself what a test that passes says.
    if told.contains("SKIPPED") {
        let _ = writeln!(stderr(), "\n{}\n", told.trim());
    }
}
