//! Events as lines of JSON. The fields of a span are written once, when it begins, and go into its lines as they are: every request
//! has a span and a line.

use std::fmt::{self, Debug, Write};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields, format::Writer},
    registry::LookupSpan,
};

use crate::SystemClock;

/// `{"timestamp":…,"level":…,FIELDS,"target":…,"span":{FIELDS,"name":…}}`; the innermost span is the one that is named.
pub(super) struct JsonLines;

impl<S> FormatEvent<S, Self> for JsonLines
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, Self>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        write!(writer, r#"{{"timestamp":"{}","level":"{}""#, SystemClock.now(), metadata.level())?;
        let mut fields = Fields { writer: &mut writer, is_first: false, written: Ok(()) };
        event.record(&mut fields);
        fields.written?;
        write!(writer, r#","target":"{}""#, metadata.target())?;
        if let Some(span) = event.parent().and_then(|id| context.span(id)).or_else(|| context.lookup_current()) {
            writer.write_str(r#","span":{"#)?;
            if let Some(fields) = span.extensions().get::<FormattedFields<Self>>().filter(|fields| !fields.is_empty()) {
                write!(writer, "{fields},")?;
            }
            write!(writer, r#""name":"{}"}}"#, span.name())?;
        }
        writer.write_str("}\n")
    }
}

/// A span's fields, without braces.
impl<'writer> FormatFields<'writer> for JsonLines {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'writer>, record: R) -> fmt::Result {
        let mut fields = Fields { writer: &mut writer, is_first: true, written: Ok(()) };
        record.record(&mut fields);
        fields.written
    }

    fn add_fields(
        &self,
        current: &'writer mut FormattedFields<Self>,
        record: &tracing::span::Record<'_>,
    ) -> fmt::Result {
        let is_first = current.is_empty();
        let mut writer = current.as_writer();
        let mut fields = Fields { writer: &mut writer, is_first, written: Ok(()) };
        record.record(&mut fields);
        fields.written
    }
}

/// Writes fields one after the other, with a comma before each but the first.
struct Fields<'line, 'writer> {
    writer: &'line mut Writer<'writer>,
    is_first: bool,
    written: fmt::Result,
}

impl Fields<'_, '_> {
    fn add(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        let comma = if std::mem::take(&mut self.is_first) { "" } else { "," };
        self.written = self.written.and_then(|()| {
            write!(self.writer, r#"{comma}"{}":"#, field.name())?;
            value(self.writer)
        });
    }
}

impl Visit for Fields<'_, '_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, |writer| write_text(writer, format_args!("{value}")));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field, |writer| write_text(writer, format_args!("{value:?}")));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, |writer| write!(writer, "{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, |writer| write!(writer, "{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, |writer| write!(writer, "{value}"));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.add(field, |writer| write!(writer, "{value}"));
    }
}

fn write_text(writer: &mut Writer<'_>, text: fmt::Arguments<'_>) -> fmt::Result {
    writer.write_char('"')?;
    Escaped(writer).write_fmt(text)?;
    writer.write_char('"')
}

/// Writes what JSON does not take in a text as JSON wants it.
struct Escaped<'line, 'writer>(&'line mut Writer<'writer>);

impl Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(place) = rest.bytes().position(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
            self.0.write_str(&rest[..place])?;
            match rest.as_bytes()[place] {
                b'\n' => self.0.write_str("\\n")?,
                quoted @ (b'"' | b'\\') => write!(self.0, "\\{}", char::from(quoted))?,
                control => write!(self.0, "\\u{control:04x}")?,
            }
            rest = &rest[place + 1..];
        }
        self.0.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use serde_json::{Value, json};
    use tracing::{info, info_span, warn};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(say: impl FnOnce()) -> Vec<Value> {
        let kept = Kept::default();
        let writer = kept.clone();
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(move || writer.clone())
            .fmt_fields(JsonLines)
            .event_format(JsonLines);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), say);
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn an_event_is_one_line_of_json() {
        let nasty = "a \"word\"\n{\"level\":\"ERROR\"}\\\u{1b}[31m\u{0}é";
        let found = lines(|| {
            info!(nasty, shown = %nasty, number = -7, large = u128::from(u64::MAX), yes = true, none = None::<u32>, "said");
            let outer = info_span!("outer", name_of = nasty, count = 3);
            let _outer = outer.enter();
            let inner = info_span!("inner", later = tracing::field::Empty);
            warn!(parent: &inner, "before");
            inner.record("later", "now");
            let _inner = inner.enter();
            warn!("after");
        });
        for line in &found {
            assert!(line["timestamp"].as_str().unwrap().ends_with('Z') && line["target"] == module_path!(), "{line}");
        }
        let expected = json!([nasty, nasty, -7, u64::MAX, true, "said", "INFO", null]);
        let first = &found[0];
        let of = ["nasty", "shown", "number", "large", "yes", "message", "level", "span"].map(|key| &first[key]);
        assert_eq!(json!(of), expected);
        assert_eq!(found[1]["span"], json!({"name": "inner"}));
        assert_eq!(found[2]["span"], json!({"later": "now", "name": "inner"}));
        let outer = lines(|| info_span!("outer", name_of = nasty, count = 3).in_scope(|| info!("said")));
        assert_eq!(outer[0]["span"], json!({"name_of": nasty, "count": 3, "name": "outer"}));
    }
}
