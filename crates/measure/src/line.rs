//! One figure as one line of JSON. The names are fixed: scripts and records read them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The type of the elements of vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Dtype {
    F32,
    F16,
    Bf16,
    I8,
    B1,
}

/// How vectors are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Metric {
    Dot,
    Cosine,
    /// Squared Euclidean distance.
    Sql2,
    Hamming,
    Jaccard,
}

/// What was done: the suite, and the case with its sizes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "suite", rename_all = "lowercase")]
pub enum Work {
    /// What the machine can do.
    Limits {
        /// `read` of a level, `multiply_add`, `i8_dot`, `bf16_dot`, `add`, `call`.
        case: String,
    },
    /// Scratch.
    Arena {
        /// `alloc`, `kernel3` or `birth`.
        case: String,
        /// Bytes of a block, or of an arena.
        size: Option<usize>,
        /// Alignment of a block.
        align: Option<usize>,
    },
    /// Queries against rows.
    Similarity {
        /// `1xN`, `MxN`, `topk` or `gather`.
        case: String,
        /// Queries.
        m: usize,
        /// Rows.
        n: usize,
        /// Elements of each; of `b1`, bits.
        dim: usize,
        /// Their type.
        dtype: Dtype,
        /// How they are compared.
        metric: Metric,
        /// How many are kept.
        k: Option<usize>,
        /// Rows that those of a `gather` are taken from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<usize>,
    },
    /// Activation over a graph.
    Spreading {
        /// `spread3`, on many threads of several cues, as a note says; `ppr_iteration`, `ppr_power`, `ppr_push` or
        /// `ppr_batch16`.
        case: String,
        /// `pl1k`, `pl100k`, `wordnet5k`, `wordnet` or `rmat20`.
        graph: String,
    },
    /// A cue against a memory graph.
    Recall {
        /// `top10`, `text10` or `first10`.
        case: String,
        /// `pl100k` or `wordnet5k`.
        graph: String,
    },
    /// Forgetting.
    Decay {
        /// The law.
        case: String,
        /// Memories.
        n: usize,
    },
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::I8 => "i8",
            Self::B1 => "b1",
        })
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dot => "dot",
            Self::Cosine => "cosine",
            Self::Sql2 => "sql2",
            Self::Hamming => "hamming",
            Self::Jaccard => "jaccard",
        })
    }
}

/// What filters look at and tables print.
impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limits { case } => write!(f, "limits {case}"),
            Self::Arena { case, size: None, .. } => write!(f, "arena {case}"),
            Self::Arena { case, size: Some(size), .. } => write!(f, "arena {case} {size}"),
            Self::Similarity { case, n, dim, dtype, metric, of: Some(of), .. } => {
                write!(f, "similarity {case} {n}/{of}x{dim} {dtype} {metric}")
            }
            Self::Similarity { case, m: 1, n, dim, dtype, metric, .. } => {
                write!(f, "similarity {case} {n}x{dim} {dtype} {metric}")
            }
            Self::Similarity { case, m, n, dim, dtype, metric, .. } => {
                write!(f, "similarity {case} {m}x{n}x{dim} {dtype} {metric}")
            }
            Self::Spreading { case, graph } => write!(f, "spreading {case} {graph}"),
            Self::Recall { case, graph } => write!(f, "recall {case} {graph}"),
            Self::Decay { case, n } => write!(f, "decay {case} {n}"),
        }
    }
}

/// What one implementation took for one piece of work on so many threads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What was done.
    #[serde(flatten)]
    pub work: Work,
    /// On how many threads.
    pub threads: usize,
    /// By whom: `ecphory` and `ecphory-*`, `scalar`, or a peer's short name.
    #[serde(rename = "impl")]
    pub who: String,
    /// The shortest sample.
    pub best_ns: f64,
    /// The middle sample.
    pub median_ns: f64,
    /// As a share of the median: half the distance between the quartiles of one run's samples; of several runs, as
    /// `ecphory-peers` has them, how far their medians lie apart.
    pub noise: f64,
    /// How much was done in that time, by the median.
    pub rate: f64,
    /// What `rate` counts.
    pub unit: String,
    /// The most that this machine could do, in `unit`.
    pub limit: Option<f64>,
    /// `rate` as a share of `limit`; where the unit is a time, `limit` as a share of `rate`.
    pub of_limit: Option<f64>,
    /// What a reader must know to compare.
    pub note: Option<String>,
}

impl Line {
    /// What tells this figure from every other of a run.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{} t{} {}", self.work, self.threads, self.who)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_names_that_scripts_read_and_comes_back_whole() {
        let work = Work::Similarity {
            case: "1xN".into(),
            m: 1,
            n: 1000,
            dim: 768,
            dtype: Dtype::F32,
            metric: Metric::Cosine,
            k: None,
            of: None,
        };
        let line = Line {
            work,
            threads: 1,
            who: "ecphory".into(),
            best_ns: 1.0,
            median_ns: 2.0,
            noise: 0.25,
            rate: 3.0,
            unit: "GB/s".into(),
            limit: Some(6.0),
            of_limit: Some(0.5),
            note: None,
        };
        let text = serde_json::to_string(&line).unwrap();
        assert_eq!(
            text,
            r#"{"suite":"similarity","case":"1xN","m":1,"n":1000,"dim":768,"dtype":"f32","metric":"cosine","k":null,"#
                .to_owned()
                + r#""threads":1,"impl":"ecphory","best_ns":1.0,"median_ns":2.0,"noise":0.25,"rate":3.0,"#
                + r#""unit":"GB/s","limit":6.0,"of_limit":0.5,"note":null}"#
        );
        assert_eq!(serde_json::from_str::<Line>(&text).unwrap(), line);
        assert_eq!(line.label(), "similarity 1xN 1000x768 f32 cosine t1 ecphory");
    }
}
