use std::fmt;
use std::process::ExitCode;

/// Why the command ends without having done what was asked.
#[derive(Debug, PartialEq)]
pub enum Failure {
    /// What the user asked for does not exist.
    Input(String),
    /// Anything else.
    Other(String),
}

impl Failure {
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Input(_) => ExitCode::from(2),
            Self::Other(_) => ExitCode::from(1),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(message) | Self::Other(message) => f.write_str(message),
        }
    }
}

impl From<ecphory::Error> for Failure {
    fn from(error: ecphory::Error) -> Self {
        Self::Other(error.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Other(format!("JSON: {error}"))
    }
}
