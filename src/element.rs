/// What rows and queries are made of: `f32`, `i8`, or `u8` for bits, eight to a byte; with the feature `half` also
/// `half::f16` and `half::bf16`.
pub trait Element: sealed::Sealed + Copy + std::fmt::Debug + Send + Sync + 'static {}

/// An [`Element`] that is a number: all but `u8`, which stands for eight bits.
pub trait Number: Element {}

/// What a query may be made of where rows are of `Row`: the same, or `f32` against all other numbers. What does not
/// meet does not compile:
///
/// ```compile_fail
/// # use ecphory::{Metric, Rows, Search};
/// let bits = Rows::new(&[0b1001u8], 1).unwrap();
/// let scores = Search::new(Metric::Hamming).scores(&[1.0f32], &bits);
/// ```
pub trait Meets<Row: Element>: Element {}

pub(crate) mod sealed {
    pub trait Sealed {
        /// As ecphory.h has it.
        const TYPE: u32;
        /// As errors have it.
        const NAME: &'static str;
    }
}

impl<T: Element> Meets<T> for T {}

macro_rules! elements {
    ($($name:literal: $element:ty, $kind:ident;)*) => {$(
        impl sealed::Sealed for $element {
            const TYPE: u32 = crate::ffi::$kind;
            const NAME: &'static str = $name;
        }

        impl Element for $element {}
    )*};
}

elements! {
    "f32": f32, ECP_TYPE_F32;
    "i8": i8, ECP_TYPE_I8;
    "bits": u8, ECP_TYPE_BITS;
}

impl Number for f32 {}
impl Number for i8 {}
impl Meets<i8> for f32 {}

#[cfg(feature = "half")]
mod halves {
    use half::{bf16, f16};

    use super::{Element, Meets, Number, sealed};

    elements! {
        "f16": f16, ECP_TYPE_F16;
        "bf16": bf16, ECP_TYPE_BF16;
    }

    impl Number for f16 {}
    impl Number for bf16 {}
    impl Meets<f16> for f32 {}
    impl Meets<bf16> for f32 {}
}
