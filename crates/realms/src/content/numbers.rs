//! Reads numbers as people write them in tables. It knows nothing of columns beyond the style that they agreed on.

/// How a column writes its numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NumberStyle {
    /// `1.234,5` rather than `1,234.5`.
    decimal_comma: bool,
    /// The one currency sign that may stand before or after: a column that mixes currencies has no sum.
    currency: Option<char>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Integer(i64),
    Real(f64),
}

const CURRENCIES: [char; 4] = ['$', '€', '£', '¥'];

impl NumberStyle {
    /// The style that reads the most of `texts`; the point wins a draw.
    pub(crate) fn of<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> Self {
        let currency = commonest_currency(texts.clone());
        let point = Self { decimal_comma: false, currency };
        let comma = Self { decimal_comma: true, currency };
        let readable = |style: Self| texts.clone().filter(|text| style.read(text).is_some()).count();
        if readable(comma) > readable(point) { comma } else { point }
    }

    /// The number, or `None` where the text is none. Texts with leading zeros (postcodes, article numbers) and integers
    /// beyond 64 bits are identifiers, not numbers: as numbers they would lose digits.
    pub(crate) fn read(self, text: &str) -> Option<Number> {
        let unsigned = self.without_currency(text.trim());
        let (negative, digits) = match unsigned.strip_prefix(['-', '\u{2212}']) {
            Some(rest) => (true, rest),
            None => (false, unsigned.strip_prefix('+').unwrap_or(unsigned)),
        };
        let digits = self.without_currency(digits);
        let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (digits, None),
        };
        let (whole, fraction) = match mantissa.split_once(if self.decimal_comma { ',' } else { '.' }) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        let whole = if whole.is_empty() && fraction.is_some() { "0".to_owned() } else { self.without_groups(whole)? };
        if !all_digits(&whole) || whole.len() > 1 && whole.starts_with('0') || !fraction.is_none_or(all_digits) {
            return None;
        }
        let sign = if negative { "-" } else { "" };
        match (fraction, exponent) {
            (None, None) => format!("{sign}{whole}").parse().ok().map(Number::Integer),
            (fraction, exponent) => {
                let fraction = fraction.unwrap_or("0");
                let exponent = exponent.map_or(Some(0), |exponent| exponent.parse::<i16>().ok())?;
                let value: f64 = format!("{sign}{whole}.{fraction}e{exponent}").parse().ok()?;
                value.is_finite().then_some(Number::Real(value))
            }
        }
    }

    fn without_currency(self, text: &str) -> &str {
        let Some(currency) = self.currency else { return text };
        text.strip_prefix(currency).or_else(|| text.strip_suffix(currency)).unwrap_or(text).trim()
    }

    /// Takes the separators of thousands out; `None` where they do not stand before every third digit.
    fn without_groups(self, whole: &str) -> Option<String> {
        let own = if self.decimal_comma { '.' } else { ',' };
        let Some(separator) =
            whole.chars().find(|&sign| sign == own || [' ', '\u{a0}', '\u{202f}', '\''].contains(&sign))
        else {
            return Some(whole.to_owned());
        };
        let mut groups = whole.split(separator);
        let first = groups.next().expect("a split gives at least one piece");
        let fits = (1..=3).contains(&first.len()) && all_digits(first) && !first.starts_with('0');
        (fits && groups.all(|group| group.len() == 3 && all_digits(group))).then(|| whole.replace(separator, ""))
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn commonest_currency<'a>(texts: impl Iterator<Item = &'a str>) -> Option<char> {
    let mut counts = [0_usize; CURRENCIES.len()];
    for text in texts {
        if let Some(place) = CURRENCIES.iter().position(|&sign| text.contains(sign)) {
            counts[place] += 1;
        }
    }
    let most = (0..CURRENCIES.len()).rev().max_by_key(|&place| counts[place])?;
    (counts[most] > 0).then(|| CURRENCIES[most])
}

#[cfg(test)]
mod tests {
    use super::{Number::*, *};

    #[test]
    fn numbers_are_read_in_their_style() {
        let point = NumberStyle::default();
        let comma = NumberStyle { decimal_comma: true, currency: None };
        let dollars = NumberStyle { decimal_comma: false, currency: Some('$') };
        for (style, text, wanted) in [
            (point, "42", Some(Integer(42))),
            (point, " -7 ", Some(Integer(-7))),
            (point, "+3", Some(Integer(3))),
            (point, "0", Some(Integer(0))),
            (point, "1,234", Some(Integer(1234))),
            (point, "1,234,567.5", Some(Real(1_234_567.5))),
            (point, "12.50", Some(Real(12.5))),
            (point, ".5", Some(Real(0.5))),
            (point, "1e3", Some(Real(1000.0))),
            (point, "-1.5E-2", Some(Real(-0.015))),
            (point, "9223372036854775807", Some(Integer(i64::MAX))),
            (point, "-9223372036854775808", Some(Integer(i64::MIN))),
            (comma, "1.234,56", Some(Real(1234.56))),
            (comma, "12,5", Some(Real(12.5))),
            (comma, "1.234", Some(Integer(1234))),
            (dollars, "$1,234.50", Some(Real(1234.5))),
            (dollars, "-$5", Some(Integer(-5))),
            (dollars, "5 $", Some(Integer(5))),
            (point, "1 234 567", Some(Integer(1_234_567))),
            // Identifiers, other things, and what is not finite.
            (point, "007", None),
            (point, "00.5", None),
            (point, "9223372036854775808", None),
            (point, "12,5", None),
            (point, "1,23,456", None),
            (point, "0,123", None),
            (point, "$5", None),
            (dollars, "€5", None),
            (point, "NaN", None),
            (point, "inf", None),
            (point, "1e999", None),
            (point, "5.", None),
            (point, "1.2.3", None),
            (point, "0x10", None),
            (point, "1_000", None),
            (point, "", None),
            (point, "-", None),
            (point, "e5", None),
            (point, "٣", None),
        ] {
            assert_eq!(style.read(text), wanted, "{text:?} in {style:?}");
        }
    }

    #[test]
    fn a_column_agrees_on_its_style() {
        for (texts, wanted) in [
            (vec!["1,5", "2,25", "1.234,00"], NumberStyle { decimal_comma: true, currency: None }),
            (vec!["1.5", "2.25", "1,234.00"], NumberStyle::default()),
            (vec!["1,234", "2,345"], NumberStyle::default()),
            (vec!["$5", "$6", "€7"], NumberStyle { decimal_comma: false, currency: Some('$') }),
            (vec![], NumberStyle::default()),
        ] {
            assert_eq!(NumberStyle::of(texts.iter().copied()), wanted, "{texts:?}");
        }
    }
}
