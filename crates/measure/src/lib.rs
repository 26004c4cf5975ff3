//! How Ecphory measures.
//!
//! - [`cases`]: ours, and the plain loops beside them;
//! - [`suite`]: cases by name, each with all its contenders;
//! - [`Contest`]: contenders on the same work, in rounds of shuffled order, and what each took;
//! - [`Limits`]: what this machine can do at most, measured in the same process;
//! - [`data`]: the vectors, graphs and ages that everyone works on;
//! - [`Line`]: one figure as one line of JSON;
//! - [`Bar`]: progress, on a terminal alone.

#![deny(missing_docs)]

mod case;
pub mod cases;
mod clock;
mod contest;
pub mod data;
mod kinds;
mod limits;
mod line;
mod progress;
mod runs;
pub mod scalar;
pub mod suite;
pub mod threads;

pub use case::{Case, Unit};
pub use clock::{Clock, pin, pin_to_first, thread_count};
pub use contest::{Contender, Contest, Effort, LeftOut, Times, caught};
pub use kinds::{Kind, Pair};
pub use limits::{Arithmetic, Level, Limits};
pub use line::{Dtype, Line, Metric, Work};
pub use progress::Bar;
