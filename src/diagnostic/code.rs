//! Every kind of diagnostic has a stable code that can be looked up and searched for.

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// The kind of a diagnostic. `docs/errors.md` explains each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum DiagnosticCode {
            $($(#[$doc])* $variant,)*
        }

        impl DiagnosticCode {
            /// All codes.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The text that is printed and documented.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

codes! {
    /// A file that was named does not exist.
    FileMissing = "file-missing",
    /// A file or directory cannot be read.
    FileUnreadable = "file-unreadable",
    /// A file exceeds the size limit.
    FileTooLarge = "file-too-large",
    /// A file is empty.
    FileEmpty = "file-empty",
    /// A directory holds no desired-state file.
    DirectoryEmpty = "directory-empty",
    /// A file is not UTF-8.
    NotUtf8 = "not-utf8",
    /// A file is not YAML.
    NotYaml = "not-yaml",
    /// A file exceeds the nesting or alias limit.
    LimitExceeded = "limit-exceeded",
    /// A file holds several YAML documents.
    MultipleDocuments = "multiple-documents",
    /// An unsupported `version`.
    UnsupportedVersion = "unsupported-version",
    /// A required field is missing.
    MissingField = "missing-field",
    /// A field that does not exist.
    UnknownField = "unknown-field",
    /// A name that has lost its leading zeros in a spreadsheet.
    LeadingZerosLost = "leading-zeros-lost",
    /// A name that equals the live one, read in the wrong encoding.
    WrongEncoding = "wrong-encoding",
    /// A CSV record whose length does not match the header.
    CsvColumnCount = "csv-column-count",
    /// A quote of a CSV file that is not closed, or closed in the middle of a cell.
    CsvQuote = "csv-quote",
    /// A value of the wrong type.
    WrongType = "wrong-type",
    /// A key that occurs twice in one mapping.
    DuplicateKey = "duplicate-key",
    /// An unquoted value that YAML does not read as the text that is written.
    UnquotedValue = "unquoted-value",
    /// A text that cannot be a network's name.
    InvalidName = "invalid-name",
    /// A text that cannot be a display name.
    InvalidDisplayName = "invalid-display-name",
    /// A display name that Webex may refuse.
    LongDisplayName = "long-display-name",
    /// A text with spaces that are easily overlooked, and that a server may remove.
    UnusualSpaces = "unusual-spaces",
    /// A text that cannot be an access code.
    InvalidCode = "invalid-code",
    /// An access code whose `env` or `file` source is unavailable.
    CodeSourceUnavailable = "code-source-unavailable",
    /// An id that is empty.
    InvalidId = "invalid-id",
    /// One network has two entries.
    DuplicateNetwork = "duplicate-network",
    /// Two networks of a location are to get the same name.
    DuplicateName = "duplicate-name",
    /// Two networks of a location are to get the same access code.
    DuplicateCode = "duplicate-code",
    /// A file is for another organization than the one that is reached, or its ids are.
    OtherOrganization = "other-organization",
    /// No location of the organization has this name or id.
    UnknownLocation = "unknown-location",
    /// A location whose networks were not read, since `--location-id` names others.
    LocationNotRead = "location-not-read",
    /// Several locations have this name.
    AmbiguousLocation = "ambiguous-location",
    /// A location's `name` and `id` belong to different locations.
    LocationMismatch = "location-mismatch",
    /// No network of the location has this name or id.
    UnknownNetwork = "unknown-network",
    /// Several networks of the location have this name.
    AmbiguousNetwork = "ambiguous-network",
    /// The network with this id belongs to another location.
    NetworkInOtherLocation = "network-in-other-location",
    /// A network would be created although an unmanaged one has nearly its name.
    NearName = "near-name",
    /// The live network has another model than its entry.
    ModelMismatch = "model-mismatch",
    /// The name and the id of a network belong to different networks.
    NetworkMismatch = "network-mismatch",
    /// What is to be deleted does not exist.
    AlreadyAbsent = "already-absent",
    /// A text that cannot be a MAC address.
    InvalidMac = "invalid-mac",
    /// A text that cannot be a line of a handset.
    InvalidLine = "invalid-line",
    /// A member is not among those that Webex offers for a handset, or not for this line.
    UnknownMember = "unknown-member",
    /// Several members or handsets are meant by one entry.
    AmbiguousHandset = "ambiguous-handset",
    /// No handset of the network has this id.
    UnknownHandset = "unknown-handset",
    /// Two entries mean the same handset.
    DuplicateHandset = "duplicate-handset",
    /// Handsets of two networks exchange their first lines, which one of them has to take while the other one has it.
    FirstLinesExchanged = "first-lines-exchanged",
    /// A network would have more lines than its model allows, or than other pages of Cisco mention.
    TooManyLines = "too-many-lines",
    /// A model that does not exist, or where none is allowed.
    InvalidModel = "invalid-model",
    /// The end of a freeze is not a date.
    InvalidDate = "invalid-date",
    /// A `state` that does not exist, or that does not fit the rest of the entry.
    InvalidState = "invalid-state",
    /// A base station is named twice.
    DuplicateBaseStation = "duplicate-base-station",
    /// A base station that is to be replaced is not there.
    NothingReplaced = "nothing-replaced",
    /// A base station belongs to another network.
    BaseStationInOtherNetwork = "base-station-in-other-network",
    /// A network would have more base stations than its model allows, or than other pages of Cisco mention.
    TooManyBaseStations = "too-many-base-stations",
    /// What is to be changed or deleted is listed without an id.
    MissingId = "missing-id",
    /// An empty list asks for nothing.
    EmptyList = "empty-list",
    /// It is ambiguous whether a rename is done or still to do.
    AmbiguousRename = "ambiguous-rename",
    /// A network has a temporary name that no entry explains.
    LeftoverTemporaryName = "leftover-temporary-name",
    /// A requested name is already used by a network that keeps it.
    NameTaken = "name-taken",
    /// A requested access code is already used by a network that keeps it.
    CodeTaken = "code-taken",
    /// A required setting is neither in the file nor in the live state.
    MissingSetting = "missing-setting",
    /// A network depends on one that is excluded from the run.
    DependencyOutOfScope = "dependency-out-of-scope",
    /// A location has no free access code for a temporary one.
    NoFreeCode = "no-free-code",
    /// Two live networks share a name or an access code.
    ExistingDuplicate = "existing-duplicate",
    /// An invalid pattern of a rule.
    InvalidPattern = "invalid-pattern",
    /// An invalid template of a rule.
    InvalidTemplate = "invalid-template",
    /// A rule that would change its own result.
    NonIdempotentRule = "non-idempotent-rule",
    /// A rule that produces an invalid value.
    InvalidRuleResult = "invalid-rule-result",
    /// A rule that no network matches.
    NoMatch = "no-match",
    /// What an undo cannot take back.
    NotUndone = "not-undone",
    /// Access codes that are hidden, one of which may be asked for.
    HiddenCodes = "hidden-codes",
    /// What an update sets although Webex does not list its value, so that an undo cannot restore it.
    NotRestorable = "not-restorable",
    /// A network that was changed since the run that is undone.
    ChangedSinceRun = "changed-since-run",
    /// A serviceability password that is enabled again by an undo, and that may not exist.
    PasswordMayNotExist = "password-may-not-exist",
    /// A network that a change can reboot.
    NetworkReboots = "network-reboots",
    /// Handsets that are added again and must be paired again.
    PairingNeeded = "pairing-needed",
}

impl DiagnosticCode {
    /// Whether a name cannot be given to a network.
    pub(crate) const fn is_about_name(self) -> bool {
        matches!(self, Self::NameTaken | Self::DuplicateName)
    }

    /// Whether an access code cannot be given to a network.
    pub(crate) const fn is_about_code(self) -> bool {
        matches!(self, Self::CodeTaken | Self::DuplicateCode)
    }
}
