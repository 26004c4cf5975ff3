use crate::{Error, relation};

/// What a weight may be at most, so that no sum of what counts leaves f32.
pub(crate) const MOST: f32 = 1e6;
const EXPECTED: &str = "a finite number from 0 to 1,000,000";

/// A number from 0 to [`MOST`].
pub(crate) fn check(what: &'static str, found: f32) -> Result<(), Error> {
    match (0.0..=MOST).contains(&found) {
        true => Ok(()),
        false => Err(Error::Option { what, expected: EXPECTED, found: found.into() }),
    }
}

macro_rules! weights {
    ($($name:ident $said:literal $doc:literal $default:literal;)*) => {
        /// The factors of [`Options`](crate::Options), each from 0 to 1,000,000.
        ///
        /// ```
        /// use ecphory_recall::Weights;
        ///
        /// let weights = Weights::seeds_only().link(1.0);
        /// assert_eq!((weights.link, weights.next, weights.keywords), (1.0, 0.0, Weights::default().keywords));
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
        #[non_exhaustive]
        #[must_use]
        pub struct Weights {
            $(#[doc = $doc] pub $name: f32,)*
        }

        /// How many there are.
        pub(crate) const COUNT: usize = [$($said),*].len();

        impl Default for Weights {
            fn default() -> Self {
                Self { $($name: $default),* }
            }
        }

        impl Weights {
            $(#[doc = $doc] pub fn $name(self, $name: f32) -> Self {
                Self { $name, ..self }
            })*

            /// Each by its name.
            pub fn named(&self) -> Vec<(&'static str, f32)> {
                vec![$((stringify!($name), self.$name)),*]
            }

            /// In the order of its fields.
            pub(crate) fn of([$($name),*]: [f32; COUNT]) -> Self {
                Self { $($name),* }
            }

            pub(crate) fn check(&self) -> Result<(), Error> {
                $(check($said, self.$name)?;)*
                Ok(())
            }
        }
    };
}

weights! {
    similarity "weight of similarity" "Of similarity." 1.0;
    keywords "weight of keywords" "Of keywords." 0.7;
    given "weight of given" "Of the caller's scores." 1.0;
    next "weight of next" "Of the memory before, in its sequence." 0.2;
    previous "weight of previous" "Of the memory after." 0.2;
    after_next "weight of after_next" "Of the memory before the one before." 0.2;
    answer "weight of answer" "Of the memory before, where it asks; beside `next`." 0.5;
    part "weight of part" "Of its sequence, which has the standard score of its words." 0.6;
    context "weight of context" "Of a context, a date or a time that the cue names or asks for." 2.5;
    link "weight of link" "Of links that one has made, times their weights." 0.5;
    question "weight of question" "What a memory that only asks loses." 1.0;
    likeness "weight of likeness" "Of likeness to what has most." 0.5;
    rare_words "weight of rare_words" "Of rare words shared with what has most." 0.3;
}

impl Weights {
    /// Seeds alone: nothing spreads, no context is woken.
    pub fn seeds_only() -> Self {
        Self {
            next: 0.0,
            previous: 0.0,
            after_next: 0.0,
            answer: 0.0,
            part: 0.0,
            context: 0.0,
            link: 0.0,
            question: 0.0,
            likeness: 0.0,
            rare_words: 0.0,
            ..Self::default()
        }
    }

    /// Whether more than seeds and what is like them counts.
    pub(crate) fn wakes(&self) -> bool {
        let Self { next, previous, after_next, answer, part, context, link, question, .. } = *self;
        [next, previous, after_next, answer, part, context, link, question].iter().any(|weight| *weight > 0.0)
    }

    pub(crate) fn factors(&self) -> [f32; 256] {
        let mut factors = [self.link; 256];
        factors[relation::NEXT as usize] = self.next;
        factors[relation::PREVIOUS as usize] = self.previous;
        factors[relation::AFTER_NEXT as usize] = self.after_next;
        factors[relation::ANSWER as usize] = self.answer;
        factors[relation::PART as usize] = 1.0;
        factors[relation::CONTEXT as usize] = 1.0;
        factors
    }
}
