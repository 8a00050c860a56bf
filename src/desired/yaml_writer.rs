//! Writes settings as a desired-state file.

use super::yaml::is_invisible_format;
use crate::model::{DesiredSettings, LocationId, Setting, SettingSet, Settings};
use crate::resources::handset::entry::LineNames;

/// How a setting is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    Value,
    /// Without its value.
    Masked,
    /// The same, with a comment that it is another one.
    MaskedNew,
    /// As a comment with the reason.
    Omitted(String),
}

/// The settings to write for a network.
pub type WritableSettings = Vec<(Setting, Written)>;

/// Returns these settings, those that the format rejects as omitted.
pub fn writable_settings(settings: &Settings, of: SettingSet) -> WritableSettings {
    of.iter().map(|setting| (setting, writable(settings, setting))).collect()
}

/// Whether the format has a live value.
pub(crate) fn writable(settings: &Settings, setting: Setting) -> Written {
    match DesiredSettings::default().set_from(settings, setting) {
        Ok(()) => Written::Value,
        Err(error) => Written::Omitted(format!("the live value {error}")),
    }
}

/// What a text is for.
#[derive(Clone, Copy, Debug)]
pub enum Purpose<'a> {
    /// A file that is read again: a thing has its id where nothing else tells it from others. Comments may say what no file sets.
    File { with_remarks: bool, lines: &'a LineNames<'a> },
    /// To be compared with another text by a reader.
    Comparison,
}

impl Purpose<'_> {
    /// Whether comments say what no file sets.
    pub(crate) const fn has_remarks(self) -> bool {
        matches!(self, Self::File { with_remarks: true, .. })
    }
}

/// What an entry of a network begins with.
#[derive(Clone, Copy, Debug)]
pub enum NetworkHead<'a> {
    Id(&'a str),
    /// The model of one that is to be created.
    Model(&'a str),
}

#[derive(Clone, Debug)]
pub struct YamlWriter {
    pub(crate) text: String,
    is_empty: bool,
}

impl Default for YamlWriter {
    /// A file without a comment.
    fn default() -> Self {
        Self { text: "version: 1\n\nlocations:".to_owned(), is_empty: true }
    }
}

impl YamlWriter {
    /// Starts a file with a comment, and with the organization that it is for: its id, and its name as another comment.
    pub fn new(remark: &str, organization: Option<(&str, Option<&str>)>) -> Self {
        let organization = organization.map(|(id, name)| {
            let remark = name.map(|name| format!(" # {}", one_line(name))).unwrap_or_default();
            format!("organization: {}{remark}\n", scalar(id))
        });
        let organization = organization.unwrap_or_default();
        Self { text: format!("# {}\nversion: 1\n{organization}\nlocations:", one_line(remark)), is_empty: true }
    }

    pub fn location(&mut self, id: &LocationId, name: &str) {
        let break_before = if std::mem::take(&mut self.is_empty) { "\n" } else { "\n\n" };
        let name = if name.trim().is_empty() { String::new() } else { format!("    name: {}\n", scalar(name)) };
        let id = scalar(id.as_str());
        self.text.truncate(self.text.trim_end().len());
        self.text.push_str(&format!("{break_before}  - id: {id}\n{name}    networks:\n"));
    }

    /// Adds a network.
    pub fn network(&mut self, head: NetworkHead<'_>, remark: Option<&str>) {
        if let Some(remark) = remark {
            self.text.push_str(&format!("      # {}\n", one_line(remark)));
        }
        self.text.push_str(&match head {
            NetworkHead::Id(id) => format!("      - id: {}\n", scalar(id)),
            NetworkHead::Model(model) => format!("      - model: {}\n", scalar(model)),
        });
    }

    /// Adds settings to the last network.
    pub fn settings(&mut self, settings: &Settings, written: WritableSettings) {
        for (setting, written) in written {
            let name = setting.api_name();
            let Some(value) = value(settings, setting).or(matches!(written, Written::Omitted(_)).then(String::new))
            else {
                continue;
            };
            self.text.push_str(&match written {
                Written::Value => format!("        {name}: {value}\n"),
                Written::Masked => format!("        {name}: ••••\n"),
                Written::MaskedNew => format!("        {name}: •••• # new\n"),
                Written::Omitted(why) => format!("        # {name} omitted: {}\n", one_line(&why)),
            });
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

/// Formats a string so that YAML reads it back unchanged: plain if safe, otherwise double-quoted.
pub(crate) fn scalar(text: &str) -> String {
    let plain = text.starts_with(char::is_alphabetic)
        && !text.ends_with(' ')
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '(' | ')'))
        && !["true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan", "inf"]
            .contains(&text.to_lowercase().as_str());
    if plain { text.to_owned() } else { quoted(text) }
}

/// Writes a double-quoted scalar; escapes line breaks and characters that YAML does not allow.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                quoted.push_str(&format!("\\u{:04X}", character as u32));
            }
            _ if is_invisible_format(character) => {
                let code = character as u32;
                quoted.push_str(&if code > 0xffff { format!("\\U{code:08X}") } else { format!("\\u{code:04X}") });
            }
            _ if character.is_control() => quoted.push_str(&format!("\\x{:02X}", character as u32)),
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }).collect()
}
