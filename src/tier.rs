//! CPU tiers: the kernels are compiled once for each, and the best that the machine can run is picked at run time.
//!
//! `ECPHORY_TIER=<name>` forces one; it is read once, at the first call. A name that is unknown or that this machine
//! cannot run makes every call return [`Error::UnknownTier`].

#![allow(unsafe_code)]

use std::ffi::{CStr, c_char};
use std::sync::OnceLock;

use crate::{Error, ffi};

/// One tier the kernels were compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tier {
    /// Its name, as `ECPHORY_TIER` takes it.
    pub name: &'static str,
    /// Whether this machine can run it.
    pub supported: bool,
}

/// The tiers of this architecture, the best last.
pub fn all() -> Vec<Tier> {
    // SAFETY: takes nothing and only reads.
    let count = unsafe { ffi::ecp_tier_count() };
    (0..count)
        .map(|index| {
            // SAFETY: ecphory.h takes any index; below the count the name is a static NUL-terminated string.
            let (name, supported) = unsafe { (text(ffi::ecp_tier_name(index)), ffi::ecp_tier_supported(index)) };
            Tier { name, supported: supported == 1 }
        })
        .collect()
}

/// The tier that calls run on.
///
/// # Errors
/// [`Error::UnknownTier`], [`Error::AbiVersion`].
pub fn in_use() -> Result<&'static str, Error> {
    ready()?;
    // SAFETY: takes nothing; the name is a static NUL-terminated string.
    Ok(unsafe { text(ffi::ecp_tier_in_use()) })
}

/// Version of the Zig compiler that built the kernels.
pub fn zig_version() -> &'static str {
    // SAFETY: takes nothing; the version is a static NUL-terminated string.
    unsafe { text(ffi::ecp_zig_version()) }
}

/// # Safety
/// `name` is a static NUL-terminated string.
unsafe fn text(name: *const c_char) -> &'static str {
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(name) }.to_str().unwrap_or_default()
}

/// Checks the archive and applies `ECPHORY_TIER`, once per process.
pub(crate) fn ready() -> Result<(), Error> {
    static READY: OnceLock<Result<(), Error>> = OnceLock::new();
    match READY.get_or_init(prepare) {
        Ok(()) => Ok(()),
        Err(error) => Err(error.clone()),
    }
}

fn prepare() -> Result<(), Error> {
    // SAFETY: takes nothing and only reads.
    let found = unsafe { ffi::ecp_abi_version() };
    if found != ffi::ECP_ABI_VERSION {
        return Err(Error::AbiVersion { expected: ffi::ECP_ABI_VERSION, found });
    }
    let Some(requested) = std::env::var_os("ECPHORY_TIER").filter(|name| !name.is_empty()) else { return Ok(()) };
    let name = requested.as_encoded_bytes();
    // SAFETY: ecphory.h asks for name[length]; nothing is kept.
    let status = unsafe { ffi::ecp_tier_force(name.as_ptr().cast(), name.len()) };
    if status != ffi::ECP_UNKNOWN_TIER as ffi::ecp_status {
        return Error::check(status);
    }
    let available: Vec<_> = all().into_iter().filter(|tier| tier.supported).map(|tier| tier.name).collect();
    Err(Error::UnknownTier { requested: requested.to_string_lossy().into_owned(), available: available.join(", ") })
}
