use crate::OverflowPolicy;

/// How [`Graph::fan_activation`](crate::Graph::fan_activation) weighs links. A strength alone is one with the default
/// policy.
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct Fan {
    pub(crate) strength: f32,
    pub(crate) overflow: OverflowPolicy,
}

impl Fan {
    /// ACT-R's S, finite, 0 or more: what a link is worth whose source has no other is `strength - ln(2)`.
    pub fn new(strength: f32) -> Self {
        Self { strength, overflow: OverflowPolicy::default() }
    }

    /// What to do when scratch does not fit the arena.
    pub fn on_overflow(self, overflow: OverflowPolicy) -> Self {
        Self { overflow, ..self }
    }
}

impl From<f32> for Fan {
    fn from(strength: f32) -> Self {
        Self::new(strength)
    }
}
