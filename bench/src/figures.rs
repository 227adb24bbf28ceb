//! The arithmetic of the tables: medians, spread, geometric means. Nothing here knows rows or allocators.

/// Median; the mean of the two middle values for an even count. 0 for none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
    }
}

/// Smallest value, 0 for none.
pub fn smallest(values: &[f64]) -> f64 {
    values.iter().copied().reduce(f64::min).unwrap_or(0.0)
}

/// Half of the range as a share of the median, in percent.
pub fn spread(values: &[f64]) -> f64 {
    let middle = median(values);
    if middle == 0.0 {
        return 0.0;
    }
    let high = values.iter().copied().fold(f64::MIN, f64::max);
    (high - smallest(values)) / 2.0 / middle * 100.0
}

/// Geometric mean of positive values; `None` for none.
pub fn geomean(values: &[f64]) -> Option<f64> {
    let positive: Vec<f64> = values.iter().copied().filter(|value| *value > 0.0).collect();
    if positive.is_empty() {
        return None;
    }
    Some((positive.iter().map(|value| value.ln()).sum::<f64>() / positive.len() as f64).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_count_lies_between_the_middle_two() {
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[]), 0.0);
    }

    #[test]
    fn the_spread_is_half_the_range_in_percent_of_the_median() {
        assert_eq!(spread(&[90.0, 100.0, 110.0]), 10.0);
        assert_eq!(spread(&[5.0]), 0.0);
    }

    #[test]
    fn the_geometric_mean_of_a_half_and_a_double_is_one() {
        assert!((geomean(&[0.5, 2.0]).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(geomean(&[]), None);
    }
}
