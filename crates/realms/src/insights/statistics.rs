//! Numbers about numbers: mean, spread, quantiles, outliers. It knows nothing of tables.

use serde::Serialize;

/// Fewer values than these have no outliers worth the name.
const FEWEST_FOR_OUTLIERS: usize = 8;

/// How far beyond the quartiles an outlier lies, in distances between them (Tukey, 1977).
const FENCE: f64 = 1.5;

/// The same for one that is far out.
const FAR_FENCE: f64 = 3.0;

/// What is to be known about a list of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Statistics {
    pub(crate) count: usize,
    pub(crate) sum: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// The largest less the smallest.
    pub(crate) range: f64,
    pub(crate) mean: f64,
    pub(crate) median: f64,
    /// Of a sample (divided by n - 1); nothing where there is only one number.
    pub(crate) standard_deviation: Option<f64>,
    pub(crate) quantile_05: f64,
    pub(crate) quantile_25: f64,
    pub(crate) quantile_75: f64,
    pub(crate) quantile_95: f64,
}

/// Below and above these a value is an outlier.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Fences {
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Far out.
    pub(crate) far_low: f64,
    pub(crate) far_high: f64,
}

impl Statistics {
    /// `None` where there is no number. All of `numbers` are finite.
    pub(crate) fn of(mut numbers: Vec<f64>) -> Option<Self> {
        numbers.sort_by(f64::total_cmp);
        let (&min, &max) = (numbers.first()?, numbers.last()?);
        #[expect(clippy::cast_precision_loss, reason = "tables are far smaller than 2^52 rows")]
        let count = numbers.len() as f64;
        let sum = exact_sum(numbers.iter().copied());
        // Each is divided first where the sum would be too large for a float.
        let mean = if sum.is_finite() { sum / count } else { numbers.iter().map(|number| number / count).sum() };
        let squares = exact_sum(numbers.iter().map(|number| (number - mean) * (number - mean)));
        Some(Self {
            count: numbers.len(),
            sum,
            min,
            max,
            range: max - min,
            mean,
            median: quantile(&numbers, 0.5),
            standard_deviation: (numbers.len() > 1).then(|| (squares / (count - 1.0)).sqrt()),
            quantile_05: quantile(&numbers, 0.05),
            quantile_25: quantile(&numbers, 0.25),
            quantile_75: quantile(&numbers, 0.75),
            quantile_95: quantile(&numbers, 0.95),
        })
    }

    /// `None` where there are too few numbers, or half of them are the same: then nothing can be said.
    pub(crate) fn fences(&self) -> Option<Fences> {
        let distance = self.quantile_75 - self.quantile_25;
        (self.count >= FEWEST_FOR_OUTLIERS && distance > 0.0).then_some(Fences {
            low: self.quantile_25 - FENCE * distance,
            high: self.quantile_75 + FENCE * distance,
            far_low: self.quantile_25 - FAR_FENCE * distance,
            far_high: self.quantile_75 + FAR_FENCE * distance,
        })
    }
}

impl Fences {
    pub(crate) fn excludes(&self, value: f64) -> bool {
        value < self.low || value > self.high
    }

    /// How far beyond the fences; negative within.
    pub(crate) fn distance(&self, value: f64) -> f64 {
        (self.low - value).max(value - self.high)
    }

    pub(crate) fn far_excludes(&self, value: f64) -> bool {
        value < self.far_low || value > self.far_high
    }
}

/// Adds with the rounding errors kept beside the sum (Neumaier, 1974): 0.1 ten times is 1.
fn exact_sum(numbers: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
    for number in numbers {
        let next = sum + number;
        lost += if sum.abs() >= number.abs() { (sum - next) + number } else { (number - next) + sum };
        sum = next;
    }
    if lost.is_finite() { sum + lost } else { sum }
}

/// The quantile between the two nearest of sorted numbers, linearly (Hyndman and Fan's type 7, as in spreadsheets).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "tables are far smaller than 2^52 rows")]
    let place = share * (sorted.len() - 1) as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a place in the list")]
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    let part = place.fract();
    if part == 0.0 { sorted[below] } else { sorted[below] * (1.0 - part) + sorted[above] * part }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_computed_by_hand() {
        let statistics = Statistics::of(vec![4.0, 2.0, 9.0, 4.0, 5.0, 4.0, 7.0, 5.0]).unwrap();
        assert_eq!(statistics.count, 8);
        assert_eq!((statistics.min, statistics.max, statistics.range, statistics.sum), (2.0, 9.0, 7.0, 40.0));
        assert_eq!((statistics.mean, statistics.median), (5.0, 4.5));
        // The squares of the distances are 1+9+16+1+0+1+4+0 = 32; 32 / 7.
        assert_eq!(statistics.standard_deviation, Some((32.0_f64 / 7.0).sqrt()));
        assert_eq!((statistics.quantile_25, statistics.quantile_75), (4.0, 5.5));
        let fences = statistics.fences().unwrap();
        assert_eq!((fences.low, fences.high, fences.far_high), (1.75, 7.75, 10.0));
        assert!(fences.excludes(9.0) && !fences.far_excludes(9.0));
    }

    #[test]
    fn small_and_odd_lists_are_no_trouble() {
        assert_eq!(Statistics::of(Vec::new()), None);
        let one = Statistics::of(vec![-3.0]).unwrap();
        assert_eq!((one.mean, one.median, one.standard_deviation, one.fences()), (-3.0, -3.0, None, None));
        assert_eq!(Statistics::of(vec![0.1; 10]).unwrap().sum, 1.0);
        assert_eq!(Statistics::of(vec![1e16, 1.0, -1e16]).unwrap().sum, 1.0);
        let huge = Statistics::of(vec![f64::MAX, f64::MAX]).unwrap();
        assert!(huge.mean.is_finite());
        assert!(Statistics::of(vec![5.0; 20]).unwrap().fences().is_none());
    }
}
