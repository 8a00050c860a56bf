//! From wishes back to the text of a desired-state file.

use crate::model::{AccessCode, DisplayName, LocationId, NetworkId, NetworkName, Setting, SettingSet, Settings};

/// A file under construction.
#[derive(Clone, Debug, Default)]
pub struct FileText {
    text: String,
}

impl FileText {
    /// A file that begins with a remark.
    pub fn new(remark: &str) -> Self {
        let mut text: String = remark.lines().map(|line| format!("# {line}\n")).collect();
        text.push_str("version: 1\n\nlocations:\n");
        Self { text }
    }

    /// Begins a location.
    pub fn location(&mut self, id: &LocationId, name: &str) {
        let name = if name.trim().is_empty() { String::new() } else { format!("    name: {}\n", scalar(name)) };
        self.text.push_str(&format!("  - id: {}\n{name}    networks:\n", scalar(id.as_str())));
    }

    /// Adds a network with those of its `settings` that are asked for. What the format would refuse is left out, with
    /// a remark that says so.
    pub fn network(&mut self, id: &NetworkId, settings: &Settings, asked: SettingSet, remark: Option<&str>) {
        let remark = remark.map(|remark| format!(" # {}", one_line(remark))).unwrap_or_default();
        self.text.push_str(&format!("      - id: {}{remark}\n", scalar(id.as_str())));
        for setting in asked.iter() {
            let name = setting.api_name();
            match value(settings, setting) {
                Ok(Some(value)) => self.text.push_str(&format!("        {name}: {value}\n")),
                Ok(None) => {}
                Err(why) => self.text.push_str(&format!("        # {name} is left out: {why}\n")),
            }
        }
    }

    /// The whole text.
    pub fn finish(self) -> String {
        self.text
    }
}

fn value(settings: &Settings, setting: Setting) -> Result<Option<String>, String> {
    match setting {
        Setting::Name => match NetworkName::new(&settings.name) {
            Ok(name) => Ok(Some(scalar(name.as_str()))),
            Err(error) => Err(format!("the live one {error}")),
        },
        Setting::DisplayName => match settings.display_name.as_deref().map(DisplayName::new) {
            None => Ok(None),
            Some(Ok(name)) => Ok(Some(scalar(name.as_str()))),
            Some(Err(error)) => Err(format!("the live one {error}")),
        },
        Setting::CodeEnabled => Ok(settings.code_enabled.map(|enabled| enabled.to_string())),
        Setting::Code => match settings.code.as_ref().map(|code| AccessCode::new(code.reveal())) {
            None => Ok(None),
            Some(Ok(code)) => Ok(Some(format!("{:?}", code.text().reveal()))),
            Some(Err(error)) => Err(format!("the live one {error}")),
        },
    }
}

/// A text as YAML reads it back unchanged: plain where that is certain, else in double quotes.
fn scalar(text: &str) -> String {
    let plain = text.starts_with(char::is_alphabetic)
        && !text.ends_with(' ')
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '(' | ')'))
        && !["true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan", "inf"]
            .contains(&text.to_lowercase().as_str());
    // A JSON string is a double-quoted scalar of YAML.
    if plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
