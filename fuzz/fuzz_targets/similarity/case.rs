//! What bytes are turned into: a search, shapes, and what rows and queries are filled with.

use arbitrary::Arbitrary;
use ecphory::{Metric, OverflowPolicy, Packing, Precision, Search};

use crate::piece::Piece;

/// One run. Numbers of any value stand for choices: what is asked for is made of them here.
#[derive(Arbitrary, Debug)]
pub struct Case {
    pub types: u8,
    /// What is tried.
    pub way: u8,
    metric: u8,
    dim: u16,
    gap: u8,
    rows: u16,
    queries: u8,
    is_precise: bool,
    packing: u8,
    overflow: u8,
    k: u16,
    pub threshold: Threshold,
    pub misuse: u8,
    pub query: Fill,
    pub row: Fill,
    scales: [u8; 2],
    pub filter: Option<Vec<u64>>,
    pub ids: Vec<u32>,
}

#[derive(Arbitrary, Debug)]
pub enum Threshold {
    None,
    Given(f32),
    /// What some row scores.
    OfRow(u8),
}

/// What elements are.
#[derive(Arbitrary, Debug)]
pub struct Fill {
    kind: u8,
    seed: u32,
    /// Where elements stand that are not so, and their bits.
    odd: Vec<(u16, u32)>,
}

/// Sums of squares of few of these are beyond f32, or below it.
const EXTREMES: [f32; 8] = [3e38, -3e38, 1e20, -1e20, 1e-20, 1e-42, -0.0, 65504.0];

impl Fill {
    pub fn elements<T: Piece>(&self, len: usize, dim: usize) -> Vec<T> {
        let mut state = (u64::from(self.seed) << 1 | 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut next = || {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) as u32
        };
        let number = |bits: u32| (bits as i32) as f32 * (1.0 / 2_147_483_648.0);
        let same = number(next());
        let few: Vec<f32> = (0..dim).map(|_| number(next())).collect();
        let mut elements: Vec<T> = (0..len)
            .map(|i| match self.kind % 11 {
                0 | 1 => T::of_number(number(next())),
                2 => T::of_number((next() % 5) as f32 - 2.0),
                3 => T::of_bits(next()),
                4 => T::of_number(same),
                5 => T::of_number(number(next()) * f32::exp2((next() % 48) as f32 - 24.0)),
                6 => T::of_number(EXTREMES[next() as usize % 8]),
                7 => T::of_number(0.0),
                // Rows that all but equal each other.
                8 => T::of_number(few[i % dim]),
                9 => T::of_number(few[i % dim] + number(next()) * f32::exp2(-14.0)),
                // Each row all but as near as the one before it, and exact in a few bits.
                _ => T::of_number(same * (1.0 + (i / dim) as f32 * f32::EPSILON)),
            })
            .collect();
        for &(at, bits) in &self.odd {
            if len > 0 {
                elements[usize::from(at) % len] = T::of_bits(bits);
            }
        }
        elements
    }
}

impl Case {
    pub fn metric(&self, of_bits: bool) -> Metric {
        if of_bits {
            return [Metric::Hamming, Metric::Jaccard][usize::from(self.metric % 2)];
        }
        [Metric::Cosine, Metric::Dot, Metric::SquaredEuclidean][usize::from(self.metric % 3)]
    }

    /// Whether there is more than one task of it.
    fn is_large(&self) -> bool {
        self.types == 0xA5
    }

    pub fn dim(&self) -> usize {
        let most = [16, 40, 300, 130][usize::from(self.dim % 4)];
        let dim = usize::from(self.dim / 4) % most + 1;
        match (self.is_large(), self.dim % 4) {
            (true, 0) => 4000 + dim,
            // Beside whole registers and lines.
            (_, 3) => (dim.next_multiple_of(16) + self.rows as usize % 3).saturating_sub(1),
            _ => dim,
        }
    }

    pub fn stride(&self) -> usize {
        self.dim() + usize::from(self.gap.saturating_sub(128)) % 20
    }

    pub fn rows(&self) -> usize {
        let rows = usize::from(self.rows / 4);
        match (self.is_large(), self.rows % 4) {
            (true, _) if self.dim() > 4000 => 260 + rows % 40,
            (true, _) => 1000 + rows % 300,
            // A companion excludes no row among the first 64.
            (_, 0) if self.way % 8 == 5 => 65 + rows % 136,
            (_, 3) if rows.is_multiple_of(8) => rows / 8 % 201,
            (_, 2 | 3) => rows % 71,
            _ => rows % 12,
        }
    }

    pub fn queries(&self) -> usize {
        let queries = usize::from(self.queries);
        if queries < 240 { queries % 13 } else { queries * 7 % 71 }
    }

    pub fn k(&self) -> usize {
        let k = usize::from(self.k / 2);
        if self.k.is_multiple_of(2) { k % 12 } else { k % 300 }
    }

    pub fn precision(&self) -> Precision {
        if self.is_precise { Precision::Precise } else { Precision::Fast }
    }

    pub fn packing(&self) -> Packing {
        [Packing::InPlace, Packing::Whole, Packing::Tiled][usize::from(self.packing % 3)]
    }

    pub fn overflow(&self) -> OverflowPolicy {
        match self.overflow % 4 {
            0 | 1 => OverflowPolicy::Heap,
            2 => OverflowPolicy::Error,
            _ => OverflowPolicy::Grow { max: 1 << (16 + self.overflow / 4 % 3) },
        }
    }

    pub fn search(&self, of_bits: bool) -> Search {
        Search::new(self.metric(of_bits)).precision(self.precision())
    }

    /// Of rows, or of queries: finite, above 0, and of any size in some cases.
    pub fn scales(&self, of: usize, len: usize) -> Option<Vec<f32>> {
        let kind = self.scales[of];
        let scale = |i: usize| match kind % 4 {
            1 => 0.25,
            2 => 0.3 + (i * 7 % 11) as f32 * 0.37,
            _ => f32::exp2((usize::from(kind / 4) + i * 5 % 7) as f32 * 3.0 - 96.0) * 1.1,
        };
        (!kind.is_multiple_of(4)).then(|| (0..len).map(scale).collect())
    }

    /// As many words as rows ask for.
    pub fn filter_words(&self, rows: usize) -> Option<Vec<u64>> {
        let words = self.filter.as_ref()?;
        let word = |i: usize| if words.is_empty() { 0x5A5A_FFFF_0000_1234 } else { words[i % words.len()] };
        Some((0..rows.div_ceil(64)).map(word).collect())
    }
}
