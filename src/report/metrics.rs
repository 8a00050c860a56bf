//! Metrics for a collector that reads text files, such as that of the Prometheus node exporter: in the OpenMetrics text format
//! (<https://prometheus.io/docs/specs/om/open_metrics_spec/>).

use std::fmt::Write;

use jiff::Timestamp;

use super::sanitize::sanitize;
use super::view::ResultView;
use crate::plan::model::ResourceKind;
use crate::reconcile::{DriftReport, LocationStatus};
use crate::storage::RunOutcome;

/// The text, metric by metric.
#[derive(Default)]
struct Metrics(String);

impl Metrics {
    /// A gauge with a value for each set of labels.
    fn gauge<'a>(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = (Vec<(&'a str, &'a str)>, f64)>) {
        // Writing to a string cannot fail.
        let _infallible = write!(self.0, "# TYPE dectl_{name} gauge\n# HELP dectl_{name} {help}\n");
        for (labels, value) in samples {
            let labels: Vec<String> =
                labels.into_iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            let _infallible = writeln!(self.0, "dectl_{name}{labels} {value}");
        }
    }

    fn finish(mut self) -> String {
        self.0.push_str("# EOF\n");
        self.0
    }
}

/// A value of a label. Control characters but line feeds are shown as what they are: no escape is defined for them.
fn escaped(text: &str) -> String {
    let parts: Vec<String> = text.split('\n').map(|part| sanitize(part).into_owned()).collect();
    let text = parts.join("\n");
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The labels of a location: two of one name differ in their ids.
fn of_location(location: &LocationStatus) -> Vec<(&'static str, &str)> {
    vec![("location", location.name.as_str()), ("location_id", location.id.as_str())]
}

fn seconds(at: Timestamp) -> f64 {
    at.as_second() as f64
}

/// What a comparison has found, at `now`; `is_complete` if everything could be read.
pub fn status(status: &DriftReport, is_complete: bool, now: Timestamp) -> String {
    let mut metrics = Metrics::default();
    let networks = status.locations.iter().flat_map(|location| {
        let drifted = location.drifted().len();
        let states = [("in_sync", location.managed - drifted), ("drifted", drifted)];
        states.map(|(state, count)| ([of_location(location), vec![("state", state)]].concat(), count as f64))
    });
    metrics.gauge("networks", "Managed networks by location and state.", networks);
    let known = status.known() as f64;
    metrics.gauge("known_differences", "Differences that the baseline has.", [(vec![], known)]);
    let kinds = std::iter::once(ResourceKind::Network).chain(ResourceKind::DEVICES);
    let unmanaged = kinds.map(|kind| (vec![("kind", kind.noun())], status.unmanaged[kind] as f64));
    metrics.gauge(
        "unmanaged",
        "What no file names: networks, and devices of networks whose devices files name.",
        unmanaged,
    );
    let never = status.never_registered.len() as f64;
    metrics.gauge("handsets_never_registered", "Handsets that have never registered.", [(vec![], never)]);
    let in_sync =
        status.locations.iter().filter_map(|location| Some((of_location(location), seconds(location.last_in_sync?))));
    metrics.gauge(
        "last_in_sync_timestamp_seconds",
        "When a recorded run last left the drifted networks in sync.",
        in_sync,
    );
    metrics.gauge("status_timestamp_seconds", "When the live state was compared.", [(vec![], seconds(now))]);
    metrics.gauge("status_complete", "Whether everything could be read.", [(vec![], f64::from(u8::from(is_complete)))]);
    metrics.finish()
}

/// What a run has done, which has ended at `now`.
pub fn result(view: &ResultView, now: Timestamp) -> String {
    let summary = &view.summary;
    let mut metrics = Metrics::default();
    let changes = [
        ("applied", summary.applied),
        ("failed", summary.failed),
        ("skipped", summary.skipped),
        ("not_started", summary.not_started),
        ("unknown", summary.unknown),
        ("mismatched", summary.mismatched),
    ];
    let changes = changes.map(|(status, count)| (vec![("status", status)], count as f64));
    metrics.gauge(
        "apply_changes",
        "Changes of the last run by what became of them; mismatched ones are among the applied.",
        changes,
    );
    let requests = [
        ("all", summary.requests),
        ("write", summary.writes),
        ("retry", summary.retries),
        ("rate_limited", summary.rate_limited),
    ];
    let requests = requests.map(|(kind, count)| (vec![("kind", kind)], count as f64));
    metrics.gauge("apply_requests", "Requests of the last run.", requests);
    metrics.gauge("apply_duration_seconds", "How long the last run took.", [(vec![], summary.elapsed.as_secs_f64())]);
    let is_complete = matches!(view.class, RunOutcome::Applied | RunOutcome::Unchanged);
    metrics.gauge(
        "apply_complete",
        "Whether the last run applied everything.",
        [(vec![], f64::from(u8::from(is_complete)))],
    );
    metrics.gauge("apply_timestamp_seconds", "When the last run ended.", [(vec![], seconds(now))]);
    metrics.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_break_out_of_its_quotes() {
        let mut metrics = Metrics::default();
        metrics.gauge("x", "Help.", [(vec![("location", "A \"B\"\\\nC")], 1.0)]);
        let expected =
            "# TYPE dectl_x gauge\n# HELP dectl_x Help.\ndectl_x{location=\"A \\\"B\\\"\\\\\\nC\"} 1\n# EOF\n";
        assert_eq!(metrics.finish(), expected);
    }
}
