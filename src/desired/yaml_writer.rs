//! From settings back to the text of a desired-state file.

use crate::model::{AccessCode, DisplayName, LocationId, NetworkId, NetworkName, Setting, SettingSet, Settings};

/// What a file asks of a network: the settings, and why one of them is left out.
pub type WritableSettings = Vec<(Setting, Option<String>)>;

/// These settings, but for those that the format would refuse.
pub fn writable_settings(settings: &Settings, of: SettingSet) -> WritableSettings {
    of.iter().map(|setting| (setting, unrepresentable(settings, setting))).collect()
}

/// Why the format would refuse a live value.
pub(super) fn unrepresentable(settings: &Settings, setting: Setting) -> Option<String> {
    let why = match setting {
        Setting::Name => NetworkName::new(&settings.name).err().map(|error| error.to_string()),
        Setting::DisplayName => settings
            .display_name
            .as_deref()
            .and_then(|name| DisplayName::new(name).err())
            .map(|error| error.to_string()),
        Setting::CodeEnabled => None,
        Setting::Code => settings
            .code
            .as_ref()
            .and_then(|code| AccessCode::new(code.expose_secret()).err())
            .map(|error| error.to_string()),
    };
    why.map(|why| format!("the live one {why}"))
}

#[derive(Clone, Debug, Default)]
pub struct YamlWriter {
    text: String,
    is_empty: bool,
}

impl YamlWriter {
    /// A file that begins with a remark.
    pub fn new(remark: &str) -> Self {
        Self { text: format!("# {}\nversion: 1\n\nlocations:", one_line(remark)), is_empty: true }
    }

    pub fn location(&mut self, id: &LocationId, name: &str) {
        let break_before = if std::mem::take(&mut self.is_empty) { "\n" } else { "\n\n" };
        let name = if name.trim().is_empty() { String::new() } else { format!("    name: {}\n", scalar(name)) };
        let id = scalar(id.as_str());
        self.text.truncate(self.text.trim_end().len());
        self.text.push_str(&format!("{break_before}  - id: {id}\n{name}    networks:\n"));
    }

    /// Adds a network with what is asked of it. What is left out has a remark that says why.
    pub fn network(
        &mut self,
        id: &NetworkId,
        settings: &Settings,
        writable_settings: WritableSettings,
        remark: Option<&str>,
    ) {
        if let Some(remark) = remark {
            self.text.push_str(&format!("      # {}\n", one_line(remark)));
        }
        self.text.push_str(&format!("      - id: {}\n", scalar(id.as_str())));
        for (setting, left_out) in writable_settings {
            let name = setting.api_name();
            match (left_out, value(settings, setting)) {
                (Some(why), _) => self.text.push_str(&format!("        # {name} is left out: {}\n", one_line(&why))),
                (None, Some(value)) => self.text.push_str(&format!("        {name}: {value}\n")),
                (None, None) => {}
            }
        }
    }

    pub fn finish(mut self) -> String {
        if self.is_empty {
            self.text.push_str(" []\n");
        }
        self.text
    }
}

fn value(settings: &Settings, setting: Setting) -> Option<String> {
    match setting {
        Setting::Name => Some(scalar(&settings.name)),
        Setting::DisplayName => settings.display_name.as_deref().map(scalar),
        Setting::CodeEnabled => settings.code_enabled.map(|enabled| enabled.to_string()),
        Setting::Code => settings.code.as_ref().map(|code| quoted(code.expose_secret())),
    }
}

/// A text as YAML reads it back unchanged: plain where that is certain, else in double quotes.
fn scalar(text: &str) -> String {
    let plain = text.starts_with(char::is_alphabetic)
        && !text.ends_with(' ')
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '(' | ')'))
        && !["true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan", "inf"]
            .contains(&text.to_lowercase().as_str());
    if plain { text.to_owned() } else { quoted(text) }
}

/// A double-quoted scalar. What YAML would take for a line break, or not take at all, is escaped.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                quoted.push_str(&format!("\\u{:04X}", character as u32));
            }
            _ if character.is_control() => quoted.push_str(&format!("\\x{:02X}", character as u32)),
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }).collect()
}
