//! Questions in SQL over one table that is not ours: each gets a database of its own in memory, in which nothing but
//! reading that table is allowed, and which ends with the question.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use realms::{
    content::table::{Cell, ColumnType, Table},
    insights::table_query::{QueryAnswer, QueryError, QueryLimits, TABLE_NAME, TableQuery},
};
use rusqlite::{
    Connection, ErrorCode, OpenFlags, Statement,
    hooks::{AuthAction, AuthContext, Authorization},
    limits::Limit,
    types::{Value, ValueRef},
};

/// How many steps of SQLite's machine pass between two looks at the clock.
const STEPS_BETWEEN_LOOKS: i32 = 1_000;

/// The longest question, in bytes.
const MAX_SQL_BYTES: i32 = 64 * 1024;

/// The longest single text that a question may make, in bytes.
const MAX_TEXT_BYTES: i32 = 16 * 1024 * 1024;

/// How much memory one question's database may take, in pages of 4 KiB: its table is in it.
const MAX_MEMORY_PAGES: i64 = 256 * 1024;

/// What a question may not call: it reaches outside, or makes much out of nothing.
const FORBIDDEN_FUNCTIONS: &[&str] = &["load_extension", "fts3_tokenizer", "zeroblob", "randomblob", "sqlite_log"];

/// SQLite in memory as the engine of tabular questions.
#[derive(Clone, Copy, Debug, Default)]
pub struct SqliteTables;

impl TableQuery for SqliteTables {
    fn query(&self, table: &Table, sql: &str, limits: QueryLimits) -> Result<QueryAnswer, QueryError> {
        let mut connection = filled(table).map_err(|error| QueryError::Failed(Box::new(error)))?;
        let forbidden = Arc::new(AtomicBool::new(false));
        fence(&mut connection, &forbidden, limits).map_err(|error| QueryError::Failed(Box::new(error)))?;
        let outcome = ask(&connection, sql, limits);
        if forbidden.load(Ordering::Relaxed) {
            return Err(QueryError::NotReadOnly);
        }
        outcome
    }
}

/// A database with nothing but the table in it.
fn filled(table: &Table) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_MEMORY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_in_memory_with_flags(flags)?;
    // What has to be sorted stays in memory too.
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update_and_check(None, "max_page_count", MAX_MEMORY_PAGES, |_| Ok(()))?;
    if table.columns.is_empty() {
        return Ok(connection);
    }
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| format!("{} {}", quoted(&column.name), affinity(column.column_type)))
        .collect();
    let transaction = connection.transaction()?;
    transaction.execute_batch(&format!("CREATE TABLE {TABLE_NAME} ({})", columns.join(", ")))?;
    let places = vec!["?"; table.columns.len()].join(", ");
    {
        let mut insert = transaction.prepare(&format!("INSERT INTO {TABLE_NAME} VALUES ({places})"))?;
        for row in &table.rows {
            for (place, cell) in (1..).zip(row) {
                bind(&mut insert, place, cell)?;
            }
            insert.raw_execute()?;
        }
    }
    transaction.commit()?;
    Ok(connection)
}

fn bind(insert: &mut Statement<'_>, place: usize, cell: &Cell) -> rusqlite::Result<()> {
    match cell {
        Cell::Null => insert.raw_bind_parameter(place, Value::Null),
        Cell::Boolean(value) => insert.raw_bind_parameter(place, i64::from(*value)),
        Cell::Integer(value) => insert.raw_bind_parameter(place, value),
        Cell::Number(value) => insert.raw_bind_parameter(place, value),
        Cell::Text(text) => insert.raw_bind_parameter(place, text.as_str()),
    }
}

/// Cells keep the type that they have: the column's type only says how SQLite compares them.
const fn affinity(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::Integer | ColumnType::Boolean => "INTEGER",
        ColumnType::Number => "REAL",
        ColumnType::Date | ColumnType::DateTime | ColumnType::Text => "TEXT",
        ColumnType::Empty => "BLOB",
    }
}

fn quoted(name: &str) -> String {
    // A statement is a C string for SQLite; a NUL would end it.
    format!("\"{}\"", name.replace('\0', " ").replace('"', "\"\""))
}

/// From here on the connection reads the table and does nothing else, for so long.
#[expect(
    clippy::disallowed_methods,
    reason = "SQLite computes on a thread of its own, for which no clock stands still"
)]
fn fence(connection: &mut Connection, forbidden: &Arc<AtomicBool>, limits: QueryLimits) -> rusqlite::Result<()> {
    for (limit, most) in [
        (Limit::SQLITE_LIMIT_SQL_LENGTH, MAX_SQL_BYTES),
        (Limit::SQLITE_LIMIT_LENGTH, MAX_TEXT_BYTES),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 20),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 100),
        (Limit::SQLITE_LIMIT_FUNCTION_ARG, 32),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1_000),
        (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 1),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 1),
    ] {
        connection.set_limit(limit, most)?;
    }
    let forbidden = Arc::clone(forbidden);
    connection.authorizer(Some(move |context: AuthContext<'_>| {
        if is_allowed(context.action) {
            return Authorization::Allow;
        }
        forbidden.store(true, Ordering::Relaxed);
        Authorization::Deny
    }))?;
    let end = Instant::now() + limits.time;
    connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || Instant::now() >= end))
}

fn is_allowed(action: AuthAction<'_>) -> bool {
    match action {
        AuthAction::Select | AuthAction::Recursive => true,
        AuthAction::Read { table_name, .. } => table_name.eq_ignore_ascii_case(TABLE_NAME) || table_name.is_empty(),
        AuthAction::Function { function_name } => {
            !FORBIDDEN_FUNCTIONS.iter().any(|forbidden| function_name.eq_ignore_ascii_case(forbidden))
        }
        _ => false,
    }
}

fn ask(connection: &Connection, sql: &str, limits: QueryLimits) -> Result<QueryAnswer, QueryError> {
    let mut statement = connection.prepare(sql).map_err(wrong)?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    if columns.is_empty() || !statement.readonly() {
        return Err(QueryError::NotReadOnly);
    }
    let mut answer = QueryAnswer { columns, rows: Vec::new(), truncated: false };
    let mut bytes = 0;
    let mut rows = statement.query([]).map_err(wrong)?;
    while let Some(row) = rows.next().map_err(wrong)? {
        if answer.rows.len() == limits.rows {
            answer.truncated = true;
            break;
        }
        let cells = (0..answer.columns.len()).map(|column| row.get_ref(column).map(cell));
        let cells = cells.collect::<Result<Vec<Cell>, _>>().map_err(wrong)?;
        bytes += cells.iter().map(size_bytes).sum::<usize>();
        if bytes > limits.bytes {
            answer.truncated = true;
            break;
        }
        answer.rows.push(cells);
    }
    Ok(answer)
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(value) => Cell::Integer(value),
        ValueRef::Real(value) => Cell::number(value),
        ValueRef::Text(text) | ValueRef::Blob(text) => Cell::text(String::from_utf8_lossy(text)),
    }
}

fn size_bytes(cell: &Cell) -> usize {
    match cell {
        Cell::Text(text) => text.len(),
        Cell::Null | Cell::Boolean(_) | Cell::Integer(_) | Cell::Number(_) => size_of::<i64>(),
    }
}

/// SQLite's own words, without its codes.
fn wrong(error: rusqlite::Error) -> QueryError {
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => return QueryError::TooSlow,
        Some(ErrorCode::AuthorizationForStatementDenied) => return QueryError::NotReadOnly,
        _ => {}
    }
    match error {
        rusqlite::Error::SqlInputError { msg, .. } | rusqlite::Error::SqliteFailure(_, Some(msg)) => {
            QueryError::Wrong(msg)
        }
        rusqlite::Error::MultipleStatement => QueryError::NotReadOnly,
        rusqlite::Error::InvalidParameterCount(..) => {
            QueryError::Wrong("the question has a parameter (`?`); write the value itself".to_owned())
        }
        other => QueryError::Wrong(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use realms::content::table::Column;

    use super::*;

    fn table() -> Table {
        let column = |name: &str, column_type| Column { name: name.to_owned(), column_type, date_order: None };
        Table {
            columns: vec![
                column("region", ColumnType::Text),
                column("Units \"sold\"", ColumnType::Integer),
                column("price", ColumnType::Number),
            ],
            rows: vec![
                vec![Cell::text("north"), Cell::Integer(3), Cell::Number(1.5)],
                vec![Cell::text("south"), Cell::Integer(4), Cell::Null],
                vec![Cell::text("north"), Cell::Integer(5), Cell::Number(2.5)],
            ],
        }
    }

    fn ask(sql: &str) -> Result<QueryAnswer, QueryError> {
        SqliteTables.query(&table(), sql, QueryLimits::default())
    }

    #[test]
    fn questions_are_answered() {
        let answer =
            ask("SELECT region, sum(\"units \"\"sold\"\"\") AS units, avg(price) FROM DATA GROUP BY 1 ORDER BY 2")
                .unwrap();
        assert_eq!(answer.columns, ["region", "units", "avg(price)"]);
        assert_eq!(
            answer.rows,
            [
                [Cell::text("south"), Cell::Integer(4), Cell::Null],
                [Cell::text("north"), Cell::Integer(8), Cell::Number(2.0)],
            ]
        );
        assert!(!answer.truncated);
        for sql in [
            "SELECT count(*) FROM data",
            "SELECT 1",
            "WITH n AS (SELECT region FROM data) SELECT * FROM n;",
            "SELECT region, row_number() OVER (ORDER BY price) FROM data WHERE region LIKE 'n%'",
        ] {
            assert!(ask(sql).is_ok(), "{sql}: {:?}", ask(sql));
        }
    }

    #[test]
    fn nothing_else_can_be_done() {
        for sql in [
            "DELETE FROM data",
            "INSERT INTO data VALUES (1, 2, 3)",
            "UPDATE data SET price = 0",
            "DROP TABLE data",
            "CREATE TABLE other (a)",
            "CREATE TEMP TABLE other (a)",
            "ATTACH 'other.db' AS other",
            "PRAGMA user_version",
            "PRAGMA writable_schema = 1",
            "VACUUM INTO 'other.db'",
            "BEGIN",
            "SELECT * FROM sqlite_master",
            "SELECT * FROM pragma_database_list",
            "SELECT load_extension('evil')",
            "SELECT * FROM data; DELETE FROM data",
            "EXPLAIN DELETE FROM data",
            "",
            "-- nothing",
        ] {
            let outcome = ask(sql);
            assert!(matches!(outcome, Err(QueryError::NotReadOnly | QueryError::Wrong(_))), "{sql}: {outcome:?}");
        }
    }

    #[test]
    fn mistakes_are_told_in_words() {
        for (sql, word) in [
            ("SELECT colour FROM data", "no such column"),
            ("SELEC 1", "syntax error"),
            ("SELECT * FROM other", "no such table"),
            ("SELECT ? FROM data", "parameter"),
        ] {
            let Err(QueryError::Wrong(message)) = ask(sql) else { panic!("{sql}: {:?}", ask(sql)) };
            assert!(message.contains(word), "{sql}: {message}");
        }
    }

    #[test]
    fn limits_hold() {
        let limits = QueryLimits { rows: 2, ..QueryLimits::default() };
        let answer = SqliteTables.query(&table(), "SELECT * FROM data", limits).unwrap();
        assert_eq!((answer.rows.len(), answer.truncated), (2, true));
        let limits = QueryLimits { bytes: 30, ..QueryLimits::default() };
        let answer = SqliteTables.query(&table(), "SELECT * FROM data", limits).unwrap();
        assert_eq!((answer.rows.len(), answer.truncated), (1, true));
        let limits = QueryLimits { time: Duration::from_millis(20), ..QueryLimits::default() };
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
        let outcome = SqliteTables.query(&table(), endless, limits);
        assert!(matches!(outcome, Err(QueryError::TooSlow)), "{outcome:?}");
        let big = ask("SELECT printf('%.*c', 100000000, 'x')");
        assert!(matches!(big, Err(QueryError::Wrong(_))), "{big:?}");
    }

    #[test]
    fn a_table_without_columns_has_no_answer() {
        let outcome = SqliteTables.query(&Table::default(), "SELECT * FROM data", QueryLimits::default());
        assert!(matches!(outcome, Err(QueryError::Wrong(_))), "{outcome:?}");
    }
}
