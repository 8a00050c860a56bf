//! Every kind of finding has a code that does not change, so that it can be looked up and searched for.

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// What kind of finding it is. `docs/errors.md` explains each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum DiagnosticCode {
            $($(#[$doc])* $variant,)*
        }

        impl DiagnosticCode {
            /// All of them.
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
    /// A file or folder cannot be read.
    FileUnreadable = "file-unreadable",
    /// A file is larger than any honest one.
    FileTooLarge = "file-too-large",
    /// A file holds nothing.
    FileEmpty = "file-empty",
    /// A folder holds no desired-state file.
    DirectoryEmpty = "folder-empty",
    /// A file is not UTF-8.
    NotUtf8 = "not-utf8",
    /// A file is not YAML.
    NotYaml = "not-yaml",
    /// A file nests deeper, or repeats itself more often, than any honest one.
    LimitExceeded = "too-complex",
    /// A file holds several YAML documents.
    MultipleDocuments = "several-documents",
    /// `version` is not one that this tool reads.
    UnsupportedVersion = "unsupported-version",
    /// A field that must be there is not.
    MissingField = "missing-field",
    /// A field that does not exist.
    UnknownField = "unknown-field",
    /// A name that has lost the zeros at its front, as spreadsheets do it.
    LeadingZerosLost = "eaten-zeros",
    /// A row of a table that does not fit its headings.
    CsvColumnCount = "table-shape",
    /// A value of another type than the field takes.
    WrongType = "wrong-type",
    /// A key that stands twice in one mapping.
    DuplicateKey = "duplicate-key",
    /// An unquoted value that YAML reads as something else than what is written.
    UnquotedValue = "needs-quotes",
    /// A text that cannot be a network's name.
    InvalidName = "invalid-name",
    /// A text that cannot be a display name.
    InvalidDisplayName = "invalid-display-name",
    /// A display name that Webex may refuse.
    LongDisplayName = "long-display-name",
    /// A text that cannot be an access code.
    InvalidCode = "invalid-code",
    /// A code that is to come from the environment or from a file, and does not.
    CodeSourceUnavailable = "code-unavailable",
    /// An id that is empty.
    InvalidId = "invalid-id",
    /// One network has two entries.
    DuplicateNetwork = "duplicate-network",
    /// Two networks of a location are to get the same name.
    DuplicateName = "duplicate-name",
    /// Two networks of a location are to get the same access code.
    DuplicateCode = "duplicate-code",
    /// No location of the organization is called so.
    UnknownLocation = "unknown-location",
    /// Several locations are called so.
    AmbiguousLocation = "ambiguous-location",
    /// A location's `name` and `id` belong to different locations.
    LocationMismatch = "location-mismatch",
    /// No network of the location is called so.
    UnknownNetwork = "unknown-network",
    /// Several networks of the location are called so.
    AmbiguousNetwork = "ambiguous-network",
    /// The network with this id belongs to another location.
    NetworkInOtherLocation = "network-elsewhere",
    /// It cannot be told whether a rename is done or still to do.
    AmbiguousRename = "unclear-rename",
    /// A network stands on a temporary name that no entry explains.
    LeftoverTemporaryName = "stranded-network",
    /// A wanted name is held by a network that keeps it.
    NameTaken = "name-taken",
    /// A wanted access code is held by a network that keeps it.
    CodeTaken = "code-taken",
    /// A request would have to carry a setting that neither the file nor Webex shows.
    MissingSetting = "missing-setting",
    /// The run was narrowed so that a network waits for one that is left out.
    DependencyOutOfScope = "cut-chain",
    /// A location has no free access code left to step aside to.
    NoFreeCode = "no-free-code",
    /// Two live networks share a name or an access code.
    ExistingDuplicate = "live-duplicate",
    /// A pattern of a rule that is none.
    InvalidPattern = "invalid-pattern",
    /// A template of a rule that is none.
    InvalidTemplate = "invalid-template",
    /// A rule that would change its own result.
    NonIdempotentRule = "unstable-rule",
    /// What a rule makes of a network does not fit.
    InvalidRuleResult = "rule-misfit",
    /// A rule that no network matches.
    NoMatch = "nothing-matches",
    /// The plan contradicts itself or the state it was made for.
    UnprovenPlan = "unproven-plan",
}
