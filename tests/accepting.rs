//! Live values that are taken over into files: then the plan has nothing to do, and nothing else in the files changes.

use std::collections::BTreeSet;
use std::path::PathBuf;

use dectl::desired::{Input, SourceFormat};
use dectl::diagnostic::Diagnostics;
use dectl::model::{
    CodeText, DeviceList, Handset, HandsetId, LiveState, LocationId, Member, MemberId, Network, NetworkId, Settings,
};
use dectl::plan::{Matches, Scope, differences};
use dectl::reconcile::{Accepted, CodeResolution, InputOptions, Inputs, accept};
use dectl::runtime::SeededRng;

/// A network with a handset, as a file asks for it or as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Values {
    name: String,
    display_name: String,
    enabled: bool,
    code: String,
    handset: String,
    line2: Option<usize>,
}

const WORDS: [&str; 12] =
    ["Ward", "Øst", "2 East", "it's", "say \"hi\"", "A: B", "# one", "yes", "{x}", "back\\slash", "-dash", "a, b"];

fn text(rng: &mut SeededRng, most: usize) -> String {
    let words = [rng.gen_below(12) as usize, rng.gen_below(12) as usize].map(|at| WORDS[at]);
    let text: String = words.join(" ").chars().take(most).collect();
    text.trim().to_owned()
}

fn values(rng: &mut SeededRng, number: usize) -> Values {
    Values {
        name: format!("{} {number}", text(rng, 20)),
        display_name: text(rng, 11),
        enabled: rng.gen_below(2) == 0,
        code: format!("{:04}", number * 10 + rng.gen_below(10) as usize),
        handset: text(rng, 16),
        line2: (rng.gen_below(2) == 0).then_some(500 + number),
    }
}

/// One value, by its number.
fn drift(values: &mut Values, which: u64, new: Values) {
    match which {
        0 => values.name = new.name,
        1 => values.display_name = new.display_name,
        2 => values.enabled = new.enabled,
        3 => values.code = new.code,
        4 => values.handset = new.handset,
        _ => values.line2 = new.line2,
    }
}

fn member(number: usize) -> Member {
    Member {
        extension: Some(format!("{:04}", 1000 + number).into()),
        location: Some(LocationId::new("loc")),
        ..Member::of_id(MemberId::new(format!("member-{number}")))
    }
}

fn live(networks: &[Values]) -> LiveState {
    let listed = networks.iter().enumerate().map(|(at, values)| {
        let settings = Settings {
            name: values.name.as_str().into(),
            display_name: Some(values.display_name.as_str().into()),
            code_enabled: Some(values.enabled),
            code: Some(CodeText::new(values.code.as_str())),
        };
        let network = Network::new(NetworkId::new(format!("net-{at}")), LocationId::new("loc"), settings, None);
        ("Oslo".into(), network)
    });
    let mut live = LiveState::new(listed);
    for (at, values) in networks.iter().enumerate() {
        let network = live.find(&NetworkId::new(format!("net-{at}"))).expect("listed");
        let handset = Handset {
            id: Some(HandsetId::new(format!("handset-{at}"))),
            custom_name: Some(values.handset.as_str().into()),
            default_name: None,
            line1: Some(member(at)),
            line2: values.line2.map(member),
            last_registration: None,
        };
        live.set_devices(network, DeviceList::Handsets(vec![handset]));
    }
    live.set_members(LocationId::new("loc"), (500..600).map(member).collect());
    live
}

/// A scalar as somebody may write it.
fn written(rng: &mut SeededRng, text: &str) -> String {
    let is_plain = text.chars().all(|c| c.is_alphanumeric() || c == ' ') && text.starts_with(char::is_alphabetic);
    match rng.gen_below(3) {
        0 if is_plain && text != "yes" => text.to_owned(),
        1 => format!("'{}'", text.replace('\'', "''")),
        _ => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

fn yaml(rng: &mut SeededRng, networks: &[Values], has_anchors: bool) -> String {
    let mut text = "# Ours.\nversion: 1\nlocations:\n  - name: Oslo # HQ\n    networks:\n".to_owned();
    let mut anchors: Vec<(String, String)> = Vec::new();
    for (at, values) in networks.iter().enumerate() {
        let mut display = written(rng, &values.display_name);
        if has_anchors {
            match anchors.iter().find(|(value, _)| *value == values.display_name) {
                Some((_, anchor)) if rng.gen_below(2) == 0 => display = format!("*{anchor}"),
                _ if rng.gen_below(2) == 0 => {
                    anchors.push((values.display_name.clone(), format!("a{at}")));
                    display = format!("&a{at} {display}");
                }
                _ => {}
            }
        }
        let mut fields = vec![
            format!("id: net-{at}"),
            format!("name: {}", written(rng, &values.name)),
            format!("displayName: {display}"),
            format!("defaultAccessCodeEnabled: {}", values.enabled),
        ];
        fields.push(match values.code.starts_with('0') || rng.gen_below(2) == 0 {
            true => format!("defaultAccessCode: \"{}\"", values.code),
            false => format!("defaultAccessCode: {}", values.code),
        });
        let first = rng.gen_below(5) as usize;
        fields.rotate_left(first);
        let line2 = values.line2.map_or("null".to_owned(), |line| format!("\"{}\"", 1000 + line));
        let handset = format!(
            "{{ line1: \"{:04}\", id: handset-{at}, customDisplayName: {}, line2: {line2} }}",
            1000 + at,
            written(rng, &values.handset)
        );
        if rng.gen_below(3) == 0 && !has_anchors {
            text.push_str(&format!("      - {{ {}, handsets: [ {handset} ] }} # flow\n", fields.join(", ")));
        } else {
            for (number, field) in fields.iter().enumerate() {
                let start = if number == 0 { "      - " } else { "        " };
                let remark = if rng.gen_below(3) == 0 { "   # why: 1234" } else { "" };
                text.push_str(&format!("{start}{field}{remark}\n"));
            }
            text.push_str(&format!("        handsets:\n          - {handset}\n\n"));
        }
    }
    if rng.gen_below(2) == 0 { text.replace('\n', "\r\n") } else { text }
}

fn table(rng: &mut SeededRng, networks: &[Values]) -> String {
    let has_quotes = rng.gen_below(2) == 0;
    let separator = [",", ";", "\t"][rng.gen_below(3) as usize];
    let headings = ["location", "id", "#why", "name", "displayName", "defaultAccessCodeEnabled", "defaultAccessCode"];
    let mut text = format!("\u{feff}{}\r\n", headings.join(separator));
    for (at, values) in networks.iter().enumerate() {
        let quoted = |text: &str| {
            let guard = if text.starts_with(['=', '+', '-', '@', '\'']) { "'" } else { "" };
            format!("\"{guard}{}\"", text.replace('"', "\"\""))
        };
        let enabled =
            if rng.gen_below(2) == 0 { values.enabled.to_string() } else { values.enabled.to_string().to_uppercase() };
        let code = if rng.gen_below(2) == 0 { values.code.clone() } else { format!("\"=\"\"{}\"\"\"", values.code) };
        let (id, name, display) = (format!("net-{at}"), quoted(&values.name), quoted(&values.display_name));
        let enabled = if has_quotes { format!("\"{enabled}\"") } else { enabled };
        text.push_str(&["Oslo", &id, "\"a; b, c\"", &name, &display, &enabled, &code].join(separator));
        text.push_str("\r\n");
    }
    text
}

fn input(text: String, format: SourceFormat) -> Input {
    Input { name: "networks".to_owned(), text, format, base_dir: PathBuf::from(".") }
}

fn inputs(input: &Input) -> Inputs {
    let options = InputOptions { strict: false, resolve: CodeResolution::SyntaxOnly };
    Inputs::from_texts(vec![input.clone()], Diagnostics::new(), options)
        .unwrap_or_else(|error| panic!("{error}\n{}", input.text))
}

/// The fields that a file asks for otherwise, with what it asks for.
fn asked(input: &Input, live: &LiveState) -> BTreeSet<(String, &'static str, Option<String>)> {
    let found = differences(&Matches::of(&inputs(input).desired, live), &Scope::default(), live).0;
    let of = |difference: &dectl::plan::Difference| {
        let (live, asked) = (difference.live.as_ref(), difference.asked.as_ref());
        let fields = dectl::plan::model::changed_fields(live, asked).into_iter();
        let value = |field: &dectl::plan::model::Field| field.of(asked).map(|value| value.expose_secret());
        fields.map(|field| (difference.network.clone(), field.name, value(field))).collect::<Vec<_>>()
    };
    found.iter().flat_map(of).collect()
}

fn taken_over(input: &Input, live: &LiveState) -> Accepted {
    accept(std::slice::from_ref(input), &inputs(input), &[], &Scope::default(), live)
        .unwrap_or_else(|error| panic!("{error}\n{}", input.text))
}

/// How many lines differ; the number of lines stays.
fn changed_lines(before: &str, after: &str) -> usize {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.split('\n').collect(), after.split('\n').collect());
    assert_eq!(before.len(), after.len());
    before.iter().zip(&after).filter(|(before, after)| before != after).count()
}

fn cases() -> u64 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300)
}

/// Numbers of values that were taken over and that stay.
fn check(seed: u64, format: SourceFormat, has_anchors: bool) -> (usize, usize) {
    let mut rng = SeededRng::from_seed(seed);
    let wanted: Vec<Values> = (0..1 + rng.gen_below(6) as usize).map(|at| values(&mut rng, at)).collect();
    let mut now = wanted.clone();
    for (at, network) in now.iter_mut().enumerate() {
        for which in 0..6 {
            let new = values(&mut rng, at);
            // A table of networks has no handsets.
            if rng.gen_below(3) == 0 && (which < 4 || format == SourceFormat::Yaml) {
                drift(network, which, new);
            }
        }
    }
    let text = match format {
        SourceFormat::Yaml => yaml(&mut rng, &wanted, has_anchors),
        SourceFormat::Csv => table(&mut rng, &wanted),
    };
    let (file, live) = (input(text, format), live(&now));
    let before = asked(&file, &live);
    let accepted = taken_over(&file, &live);
    let after = accepted.files.first().map_or(file.clone(), |edited| input(edited.after.clone(), format));
    let still = asked(&after, &live);
    assert!(still.is_subset(&before), "seed {seed}: {still:?}\n{}\n{}", file.text, after.text);
    assert_eq!(before.len(), accepted.values + still.len(), "seed {seed}\n{}\n{}", file.text, after.text);
    assert_eq!(still.len(), accepted.left.len(), "seed {seed}: {:?}\n{}", accepted.left, file.text);
    assert!(changed_lines(&file.text, &after.text) <= accepted.values, "seed {seed}");
    if !has_anchors {
        assert_eq!(accepted.left, Vec::<String>::new(), "seed {seed}\n{}", file.text);
    }
    assert_eq!(taken_over(&after, &live).values, 0, "seed {seed}: again");
    (accepted.values, still.len())
}

fn check_all(format: SourceFormat, has_anchors: bool) -> (usize, usize) {
    let checked = (0..cases()).map(|seed| check(seed, format, has_anchors));
    checked.fold((0, 0), |(taken, left), (more, stay)| (taken + more, left + stay))
}

#[test]
fn yaml_takes_over_every_value_and_nothing_else_changes() {
    assert!(check_all(SourceFormat::Yaml, false).0 > 0);
}

#[test]
fn tables_take_over_every_value_and_nothing_else_changes() {
    assert!(check_all(SourceFormat::Csv, false).0 > 0);
}

#[test]
fn values_of_anchors_are_left_and_reported() {
    let (taken, left) = check_all(SourceFormat::Yaml, true);
    assert!(taken > left && left > 0, "{taken} {left}");
}
