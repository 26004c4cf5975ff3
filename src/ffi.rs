// Made by `cargo run -p ecphory-bindings` from zig/include/ecphory.h, which documents it. Do not edit.

#![allow(dead_code, missing_docs, non_camel_case_types, unsafe_code, clippy::undocumented_unsafe_blocks)]

pub const ECP_ABI_VERSION: u32 = 5;
pub const ECP_OK: u32 = 0;
pub const ECP_OUT_OF_MEMORY: u32 = 1;
pub const ECP_INVALID_ARGUMENT: u32 = 2;
pub const ECP_UNKNOWN_TIER: u32 = 3;
pub const ECP_ALREADY_IN_USE: u32 = 4;
pub const ECP_ON_OVERFLOW_ERROR: u32 = 0;
pub const ECP_ON_OVERFLOW_HEAP: u32 = 1;
pub const ECP_ON_OVERFLOW_PANIC: u32 = 2;
pub const ECP_ON_OVERFLOW_GROW: u32 = 3;
pub const ECP_KERNEL_SIMILARITY: u32 = 0;
pub const ECP_KERNEL_SPREADING: u32 = 1;
pub const ECP_KERNEL_DECAY: u32 = 2;
pub const ECP_KERNEL_CALLER: u32 = 3;
pub const ECP_KERNELS: u32 = 4;
pub const ECP_NEED_BUCKETS: u32 = 369;
pub const ECP_TYPE_F32: u32 = 0;
pub const ECP_TYPE_F16: u32 = 1;
pub const ECP_TYPE_BF16: u32 = 2;
pub const ECP_TYPE_I8: u32 = 3;
pub const ECP_TYPE_BITS: u32 = 4;
pub const ECP_METRIC_COSINE: u32 = 0;
pub const ECP_METRIC_DOT: u32 = 1;
pub const ECP_METRIC_SQUARED_EUCLIDEAN: u32 = 2;
pub const ECP_METRIC_HAMMING: u32 = 3;
pub const ECP_METRIC_JACCARD: u32 = 4;
pub const ECP_PRECISION_FAST: u32 = 0;
pub const ECP_PRECISION_PRECISE: u32 = 1;
pub const ECP_PACKING_IN_PLACE: u32 = 0;
pub const ECP_PACKING_WHOLE: u32 = 1;
pub const ECP_PACKING_TILED: u32 = 2;
pub const ECP_FIRE_ONCE: u32 = 0;
pub const ECP_FIRE_EVERY_HOP: u32 = 1;
pub const ECP_FIRE_BEST_FIRST: u32 = 2;
pub const ECP_WEIGHTING_AS_GIVEN: u32 = 0;
pub const ECP_WEIGHTING_BY_OUT_STRENGTH: u32 = 1;
pub const ECP_WEIGHTING_BY_FAN: u32 = 2;
pub const ECP_AGGREGATE_SUM: u32 = 0;
pub const ECP_AGGREGATE_MAX: u32 = 1;
pub const ECP_HOPS_MAX: u32 = 1024;
pub const ECP_COMPETITORS_MAX: u32 = 64;
pub const ECP_STOPPED_NO: u32 = 0;
pub const ECP_STOPPED_WORK: u32 = 1;
pub const ECP_STOPPED_BUDGET: u32 = 2;
pub const ECP_STOPPED_PAUSED: u32 = 3;
pub const ECP_DANGLING_TO_SEEDS: u32 = 0;
pub const ECP_DANGLING_EVENLY: u32 = 1;
pub const ECP_SWEEP_CUES: u32 = 16;
pub const ECP_LAW_EXPONENTIAL: u32 = 0;
pub const ECP_LAW_POWER: u32 = 1;
pub const ECP_LAW_HYPERBOLIC: u32 = 2;
pub const ECP_LAW_STRETCHED: u32 = 3;
pub const ECP_LAW_SAVINGS: u32 = 4;
pub const ECP_LAW_STABILITY: u32 = 5;
pub const ECP_FSRS_PARAMETERS: u32 = 21;
pub type ecp_status = i32;
unsafe extern "C" {
    pub fn ecp_abi_version() -> u32;
}
unsafe extern "C" {
    pub fn ecp_zig_version() -> *const ::core::ffi::c_char;
}
unsafe extern "C" {
    pub fn ecp_tier_count() -> usize;
}
unsafe extern "C" {
    pub fn ecp_tier_name(index: usize) -> *const ::core::ffi::c_char;
}
unsafe extern "C" {
    pub fn ecp_tier_supported(index: usize) -> i32;
}
unsafe extern "C" {
    pub fn ecp_tier_in_use() -> *const ::core::ffi::c_char;
}
unsafe extern "C" {
    pub fn ecp_tier_force(name: *const ::core::ffi::c_char, length: usize) -> ecp_status;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ecp_scratch {
    pub lent: *mut ::core::ffi::c_void,
    pub lent_size: usize,
    pub on_overflow: u32,
    pub need: usize,
    pub needed: usize,
    pub capacity: usize,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ecp_scratch"][::core::mem::size_of::<ecp_scratch>() - 48usize];
    ["Alignment of ecp_scratch"][::core::mem::align_of::<ecp_scratch>() - 8usize];
    ["Offset of field: ecp_scratch::lent"][::core::mem::offset_of!(ecp_scratch, lent) - 0usize];
    ["Offset of field: ecp_scratch::lent_size"][::core::mem::offset_of!(ecp_scratch, lent_size) - 8usize];
    ["Offset of field: ecp_scratch::on_overflow"][::core::mem::offset_of!(ecp_scratch, on_overflow) - 16usize];
    ["Offset of field: ecp_scratch::need"][::core::mem::offset_of!(ecp_scratch, need) - 24usize];
    ["Offset of field: ecp_scratch::needed"][::core::mem::offset_of!(ecp_scratch, needed) - 32usize];
    ["Offset of field: ecp_scratch::capacity"][::core::mem::offset_of!(ecp_scratch, capacity) - 40usize];
};
impl Default for ecp_scratch {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct ecp_arena_stats {
    pub capacity: usize,
    pub current_usage: usize,
    pub high_water_mark: usize,
    pub capacity_per_thread: usize,
    pub overflow_count: u64,
    pub rewind_count: u64,
    pub allocation_count: u64,
    pub heap_loan_count: u64,
    pub heap_loan_bytes: u64,
    pub live_arenas: u64,
    pub nesting_max: usize,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ecp_arena_stats"][::core::mem::size_of::<ecp_arena_stats>() - 88usize];
    ["Alignment of ecp_arena_stats"][::core::mem::align_of::<ecp_arena_stats>() - 8usize];
    ["Offset of field: ecp_arena_stats::capacity"][::core::mem::offset_of!(ecp_arena_stats, capacity) - 0usize];
    ["Offset of field: ecp_arena_stats::current_usage"]
        [::core::mem::offset_of!(ecp_arena_stats, current_usage) - 8usize];
    ["Offset of field: ecp_arena_stats::high_water_mark"]
        [::core::mem::offset_of!(ecp_arena_stats, high_water_mark) - 16usize];
    ["Offset of field: ecp_arena_stats::capacity_per_thread"]
        [::core::mem::offset_of!(ecp_arena_stats, capacity_per_thread) - 24usize];
    ["Offset of field: ecp_arena_stats::overflow_count"]
        [::core::mem::offset_of!(ecp_arena_stats, overflow_count) - 32usize];
    ["Offset of field: ecp_arena_stats::rewind_count"]
        [::core::mem::offset_of!(ecp_arena_stats, rewind_count) - 40usize];
    ["Offset of field: ecp_arena_stats::allocation_count"]
        [::core::mem::offset_of!(ecp_arena_stats, allocation_count) - 48usize];
    ["Offset of field: ecp_arena_stats::heap_loan_count"]
        [::core::mem::offset_of!(ecp_arena_stats, heap_loan_count) - 56usize];
    ["Offset of field: ecp_arena_stats::heap_loan_bytes"]
        [::core::mem::offset_of!(ecp_arena_stats, heap_loan_bytes) - 64usize];
    ["Offset of field: ecp_arena_stats::live_arenas"][::core::mem::offset_of!(ecp_arena_stats, live_arenas) - 72usize];
    ["Offset of field: ecp_arena_stats::nesting_max"][::core::mem::offset_of!(ecp_arena_stats, nesting_max) - 80usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ecp_kernel_stats {
    pub high_water_mark: usize,
    pub overflow_counts: [u64; 4usize],
    pub heap_loan_count: u64,
    pub heap_loan_bytes: u64,
    pub need_counts: [u64; 369usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ecp_kernel_stats"][::core::mem::size_of::<ecp_kernel_stats>() - 3008usize];
    ["Alignment of ecp_kernel_stats"][::core::mem::align_of::<ecp_kernel_stats>() - 8usize];
    ["Offset of field: ecp_kernel_stats::high_water_mark"]
        [::core::mem::offset_of!(ecp_kernel_stats, high_water_mark) - 0usize];
    ["Offset of field: ecp_kernel_stats::overflow_counts"]
        [::core::mem::offset_of!(ecp_kernel_stats, overflow_counts) - 8usize];
    ["Offset of field: ecp_kernel_stats::heap_loan_count"]
        [::core::mem::offset_of!(ecp_kernel_stats, heap_loan_count) - 40usize];
    ["Offset of field: ecp_kernel_stats::heap_loan_bytes"]
        [::core::mem::offset_of!(ecp_kernel_stats, heap_loan_bytes) - 48usize];
    ["Offset of field: ecp_kernel_stats::need_counts"]
        [::core::mem::offset_of!(ecp_kernel_stats, need_counts) - 56usize];
};
impl Default for ecp_kernel_stats {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
unsafe extern "C" {
    pub fn ecp_arena_configure(capacity: usize) -> ecp_status;
}
unsafe extern "C" {
    pub fn ecp_arena_capacity() -> usize;
}
unsafe extern "C" {
    pub fn ecp_arena_thread_stats(stats: *mut ecp_arena_stats);
}
unsafe extern "C" {
    pub fn ecp_arena_total_stats(stats: *mut ecp_arena_stats);
}
unsafe extern "C" {
    pub fn ecp_arena_each_stats(stats: *mut ecp_arena_stats, count: usize) -> usize;
}
unsafe extern "C" {
    pub fn ecp_arena_kernel_stats(kernel: u32, stats: *mut ecp_kernel_stats) -> ecp_status;
}
unsafe extern "C" {
    pub fn ecp_need_edge(bucket: usize) -> u64;
}
unsafe extern "C" {
    pub fn ecp_arena_release();
}
unsafe extern "C" {
    pub fn ecp_arena_trim(bytes: *mut usize) -> ecp_status;
}
unsafe extern "C" {
    pub fn ecp_arena_grow(capacity: usize) -> ecp_status;
}
unsafe extern "C" {
    pub fn ecp_prefer_huge_pages(block: *mut ::core::ffi::c_void, size: usize);
}
unsafe extern "C" {
    pub fn ecp_arena_freeze();
}
unsafe extern "C" {
    pub fn ecp_arena_thaw();
}
unsafe extern "C" {
    pub fn ecp_arena_admit(kernel: u32, need: usize, scratch: *mut ecp_scratch) -> ecp_status;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ecp_arena {
    pub base: *mut ::core::ffi::c_uchar,
    pub capacity: usize,
    pub cursor: usize,
    pub open: usize,
    pub allocation_count: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ecp_arena"][::core::mem::size_of::<ecp_arena>() - 40usize];
    ["Alignment of ecp_arena"][::core::mem::align_of::<ecp_arena>() - 8usize];
    ["Offset of field: ecp_arena::base"][::core::mem::offset_of!(ecp_arena, base) - 0usize];
    ["Offset of field: ecp_arena::capacity"][::core::mem::offset_of!(ecp_arena, capacity) - 8usize];
    ["Offset of field: ecp_arena::cursor"][::core::mem::offset_of!(ecp_arena, cursor) - 16usize];
    ["Offset of field: ecp_arena::open"][::core::mem::offset_of!(ecp_arena, open) - 24usize];
    ["Offset of field: ecp_arena::allocation_count"][::core::mem::offset_of!(ecp_arena, allocation_count) - 32usize];
};
impl Default for ecp_arena {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
unsafe extern "C" {
    pub fn ecp_arena_mark(mark: *mut usize, arena: *mut *mut ecp_arena) -> ecp_status;
}
unsafe extern "C" {
    pub fn ecp_arena_alloc(size: usize, block: *mut *mut ::core::ffi::c_void, scratch: *mut ecp_scratch) -> ecp_status;
}
unsafe extern "C" {
    pub fn ecp_arena_rewind(mark: usize) -> ecp_status;
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct ecp_search {
    pub metric: u32,
    pub precision: u32,
    pub packing: u32,
    pub threshold: f32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ecp_search"][::core::mem::size_of::<ecp_search>() - 16usize];
    ["Alignment of ecp_search"][::core::mem::align_of::<ecp_search>() - 4usize];
    ["Offset of field: ecp_search::metric"][::core::mem::offset_of!(ecp_search, metric) - 0usize];
    ["Offset of field: ecp_search::precision"][::core::mem::offset_of!(ecp_search, precision) - 4usize];
    ["Offset of field: ecp_search::packing"][::core::mem::offset_of!(ecp_search, packing) - 8usize];
    ["Offset of field: ecp_search::threshold"][::core::mem::offset_of!(ecp_search, threshold) - 12usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ecp_companion {
    pub elements: *const i8,
    pub scales: *const f32,
    pub residuals: *const f32,
    pub lengths: *const f32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ecp_companion"][::core::mem::size_of::<ecp_companion>() - 32usize];
    ["Alignment of ecp_companion"][::core::mem::align_of::<ecp_companion>() - 8usize];
    ["Offset of field: ecp_companion::elements"][::core::mem::offset_of!(ecp_companion, elements) - 0usize];
    ["Offset of field: ecp_companion::scales"][::core::mem::offset_of!(ecp_companion, scales) - 8usize];
    ["Offset of field: ecp_companion::residuals"][::core::mem::offset_of!(ecp_companion, residuals) - 16usize];
    ["Offset of field: ecp_companion::lengths"][::core::mem::offset_of!(ecp_companion, lengths) - 24usize];
};
impl Default for ecp_companion {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ecp_rows {
    pub elements: *const ::core::ffi::c_void,
    pub type_: u32,
    pub beyond: u32,
    pub row_count: usize,
    pub dim: usize,
    pub stride: usize,
    pub scales: *const f32,
    pub norms: *const f32,
    pub filter: *const u64,
    pub companion: *const ecp_companion,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ecp_rows"][::core::mem::size_of::<ecp_rows>() - 72usize];
    ["Alignment of ecp_rows"][::core::mem::align_of::<ecp_rows>() - 8usize];
    ["Offset of field: ecp_rows::elements"][::core::mem::offset_of!(ecp_rows, elements) - 0usize];
    ["Offset of field: ecp_rows::type_"][::core::mem::offset_of!(ecp_rows, type_) - 8usize];
    ["Offset of field: ecp_rows::beyond"][::core::mem::offset_of!(ecp_rows, beyond) - 12usize];
    ["Offset of field: ecp_rows::row_count"][::core::mem::offset_of!(ecp_rows, row_count) - 16usize];
    ["Offset of field: ecp_rows::dim"][::core::mem::offset_of!(ecp_rows, dim) - 24usize];
    ["Offset of field: ecp_rows::stride"][::core::mem::offset_of!(ecp_rows, stride) - 32usize];
    ["Offset of field: ecp_rows::scales"][::core::mem::offset_of!(ecp_rows, scales) - 40usize];
    ["Offset of field: ecp_rows::norms"][::core::mem::offset_of!(ecp_rows, norms) - 48usize];
    ["Offset of field: ecp_rows::filter"][::core::mem::offset_of!(ecp_rows, filter) - 56usize];
    ["Offset of field: ecp_rows::companion"][::core::mem::offset_of!(ecp_rows, companion) - 64usize];
};
impl Default for ecp_rows {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
unsafe extern "C" {
    pub fn ecp_scores_need(search: *const ecp_search, queries: *const ecp_rows, rows: *const ecp_rows) -> usize;
}
unsafe extern "C" {
    pub fn ecp_gather_need(
        search: *const ecp_search,
        query: *const ecp_rows,
        rows: *const ecp_rows,
        id_count: usize,
    ) -> usize;
}
unsafe extern "C" {
    pub fn ecp_top_k_need(
        search: *const ecp_search,
        queries: *const ecp_rows,
        rows: *const ecp_rows,
        k: usize,
    ) -> usize;
}
unsafe extern "C" {
    pub fn ecp_scores(
        search: *const ecp_search,
        queries: *const ecp_rows,
        rows: *const ecp_rows,
        scores: *mut f32,
        scores_stride: usize,
        scratch: *mut ecp_scratch,
    ) -> ecp_status;
}
unsafe extern "C" {
    pub fn ecp_gather(
        search: *const ecp_search,
        query: *const ecp_rows,
        rows: *const ecp_rows,
        ids: *const u32,
        id_count: usize,
        scores: *mut f32,
        scratch: *mut ecp_scratch,
    ) -> ecp_status;
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct ecp_hit {
    pub row: u64,
    pub score: f32,
    pub reserved: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ecp_hit"][::core::mem::size_of::<ecp_hit>() - 16usize];
    ["Alignment of ecp_hit"][::core::mem::align_of::<ecp_hit>() - 8usize];
    ["Offset of field: ecp_hit::row"][::core::mem::offset_of!(ecp_hit, row) - 0usize];
    ["Offset of field: ecp_hit::score"][::core::mem::offset_of!(ecp_hit, score) - 8usize];
    ["Offset of field: ecp_hit::reserved"][::core::mem::offset_of!(ecp_hit, reserved) - 12usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct ecp_top_k_result {
    pub hit_count: usize,
    pub nan_rows: usize,
    pub rescored_rows: usize,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ecp_top_k_result"][::core::mem::size_of::<ecp_top_k_result>() - 24usize];
    ["Alignment of ecp_top_k_result"][::core::mem::align_of::<ecp_top_k_result>() - 8usize];
    ["Offset of field: ecp_top_k_result::hit_count"][::core::mem::offset_of!(ecp_top_k_result, hit_count) - 0usize];
    ["Offset of field: ecp_top_k_result::nan_rows"][::core::mem::offset_of!(ecp_top_k_result, nan_rows) - 8usize];
    ["Offset of field: ecp_top_k_result::rescored_rows"]
        [::core::mem::offset_of!(ecp_top_k_result, rescored_rows) - 16usize];
};
unsafe extern "C" {
    pub fn ecp_top_k(
        search: *const ecp_search,
        queries: *const ecp_rows,
        rows: *const ecp_rows,
        k: usize,
        hits: *mut ecp_hit,
        results: *mut ecp_top_k_result,
        scratch: *mut ecp_scratch,
    ) -> ecp_status;
}
unsafe extern "C" {
    pub fn ecp_norms(rows: *const ecp_rows, norms: *mut f32) -> ecp_status;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ecp_graph {
    pub offsets: *const u32,
    pub targets: *const u32,
    pub weights: *const f32,
    pub out_strengths: *const f32,
    pub relations: *const u8,
    pub node_count: usize,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ecp_graph"][::core::mem::size_of::<ecp_graph>() - 48usize];
    ["Alignment of ecp_graph"][::core::mem::align_of::<ecp_graph>() - 8usize];
    ["Offset of field: ecp_graph::offsets"][::core::mem::offset_of!(ecp_graph, offsets) - 0usize];
    ["Offset of field: ecp_graph::targets"][::core::mem::offset_of!(ecp_graph, targets) - 8usize];
    ["Offset of field: ecp_graph::weights"][::core::mem::offset_of!(ecp_graph, weights) - 16usize];
    ["Offset of field: ecp_graph::out_strengths"][::core::mem::offset_of!(ecp_graph, out_strengths) - 24usize];
    ["Offset of field: ecp_graph::relations"][::core::mem::offset_of!(ecp_graph, relations) - 32usize];
    ["Offset of field: ecp_graph::node_count"][::core::mem::offset_of!(ecp_graph, node_count) - 40usize];
};
impl Default for ecp_graph {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct ecp_seed {
    pub node: u32,
    pub activation: f32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ecp_seed"][::core::mem::size_of::<ecp_seed>() - 8usize];
    ["Alignment of ecp_seed"][::core::mem::align_of::<ecp_seed>() - 4usize];
    ["Offset of field: ecp_seed::node"][::core::mem::offset_of!(ecp_seed, node) - 0usize];
    ["Offset of field: ecp_seed::activation"][::core::mem::offset_of!(ecp_seed, activation) - 4usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ecp_spread_options {
    pub hops: u32,
    pub fire: u32,
    pub weighting: u32,
    pub aggregate: u32,
    pub budget: u32,
    pub fan_out_most: u32,
    pub threshold: f32,
    pub retain: f32,
    pub transmission: f32,
    pub fan_strength: f32,
    pub competitors: u32,
    pub inhibition: f32,
    pub steepness: f32,
    pub midpoint: f32,
    pub edges_most: u64,
    pub pause_after: u64,
    pub relation_factors: *const f32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ecp_spread_options"][::core::mem::size_of::<ecp_spread_options>() - 80usize];
    ["Alignment of ecp_spread_options"][::core::mem::align_of::<ecp_spread_options>() - 8usize];
    ["Offset of field: ecp_spread_options::hops"][::core::mem::offset_of!(ecp_spread_options, hops) - 0usize];
    ["Offset of field: ecp_spread_options::fire"][::core::mem::offset_of!(ecp_spread_options, fire) - 4usize];
    ["Offset of field: ecp_spread_options::weighting"][::core::mem::offset_of!(ecp_spread_options, weighting) - 8usize];
    ["Offset of field: ecp_spread_options::aggregate"]
        [::core::mem::offset_of!(ecp_spread_options, aggregate) - 12usize];
    ["Offset of field: ecp_spread_options::budget"][::core::mem::offset_of!(ecp_spread_options, budget) - 16usize];
    ["Offset of field: ecp_spread_options::fan_out_most"]
        [::core::mem::offset_of!(ecp_spread_options, fan_out_most) - 20usize];
    ["Offset of field: ecp_spread_options::threshold"]
        [::core::mem::offset_of!(ecp_spread_options, threshold) - 24usize];
    ["Offset of field: ecp_spread_options::retain"][::core::mem::offset_of!(ecp_spread_options, retain) - 28usize];
    ["Offset of field: ecp_spread_options::transmission"]
        [::core::mem::offset_of!(ecp_spread_options, transmission) - 32usize];
    ["Offset of field: ecp_spread_options::fan_strength"]
        [::core::mem::offset_of!(ecp_spread_options, fan_strength) - 36usize];
    ["Offset of field: ecp_spread_options::competitors"]
        [::core::mem::offset_of!(ecp_spread_options, competitors) - 40usize];
    ["Offset of field: ecp_spread_options::inhibition"]
        [::core::mem::offset_of!(ecp_spread_options, inhibition) - 44usize];
    ["Offset of field: ecp_spread_options::steepness"]
        [::core::mem::offset_of!(ecp_spread_options, steepness) - 48usize];
    ["Offset of field: ecp_spread_options::midpoint"][::core::mem::offset_of!(ecp_spread_options, midpoint) - 52usize];
    ["Offset of field: ecp_spread_options::edges_most"]
        [::core::mem::offset_of!(ecp_spread_options, edges_most) - 56usize];
    ["Offset of field: ecp_spread_options::pause_after"]
        [::core::mem::offset_of!(ecp_spread_options, pause_after) - 64usize];
    ["Offset of field: ecp_spread_options::relation_factors"]
        [::core::mem::offset_of!(ecp_spread_options, relation_factors) - 72usize];
};
impl Default for ecp_spread_options {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct ecp_spread_result {
    pub reached_count: usize,
    pub edges: u64,
    pub fired: u64,
    pub stopped: u32,
    pub reserved: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ecp_spread_result"][::core::mem::size_of::<ecp_spread_result>() - 32usize];
    ["Alignment of ecp_spread_result"][::core::mem::align_of::<ecp_spread_result>() - 8usize];
    ["Offset of field: ecp_spread_result::reached_count"]
        [::core::mem::offset_of!(ecp_spread_result, reached_count) - 0usize];
    ["Offset of field: ecp_spread_result::edges"][::core::mem::offset_of!(ecp_spread_result, edges) - 8usize];
    ["Offset of field: ecp_spread_result::fired"][::core::mem::offset_of!(ecp_spread_result, fired) - 16usize];
    ["Offset of field: ecp_spread_result::stopped"][::core::mem::offset_of!(ecp_spread_result, stopped) - 24usize];
    ["Offset of field: ecp_spread_result::reserved"][::core::mem::offset_of!(ecp_spread_result, reserved) - 28usize];
};
unsafe extern "C" {
    pub fn ecp_spread_most(
        graph: *const ecp_graph,
        seeds: *const ecp_seed,
        seed_count: usize,
        options: *const ecp_spread_options,
    ) -> usize;
}
unsafe extern "C" {
    pub fn ecp_spread_need(
        graph: *const ecp_graph,
        seeds: *const ecp_seed,
        seed_count: usize,
        options: *const ecp_spread_options,
    ) -> usize;
}
unsafe extern "C" {
    pub fn ecp_spread(
        graph: *const ecp_graph,
        seeds: *const ecp_seed,
        seed_count: usize,
        options: *const ecp_spread_options,
        fired: *mut u32,
        distances: *mut u16,
        reached: *mut u32,
        activations: *mut f32,
        result: *mut ecp_spread_result,
        scratch: *mut ecp_scratch,
    ) -> ecp_status;
}
unsafe extern "C" {
    pub fn ecp_fan_activation_most(graph: *const ecp_graph, sources: *const ecp_seed, source_count: usize) -> usize;
}
unsafe extern "C" {
    pub fn ecp_fan_activation_need(graph: *const ecp_graph, sources: *const ecp_seed, source_count: usize) -> usize;
}
unsafe extern "C" {
    pub fn ecp_fan_activation(
        graph: *const ecp_graph,
        sources: *const ecp_seed,
        source_count: usize,
        strength: f32,
        reached: *mut u32,
        activations: *mut f32,
        reached_count: *mut usize,
        scratch: *mut ecp_scratch,
    ) -> ecp_status;
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct ecp_push_options {
    pub alpha: f64,
    pub epsilon: f64,
    pub edges_most: u64,
    pub pause_after: u64,
    pub dangling: u32,
    pub reserved: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ecp_push_options"][::core::mem::size_of::<ecp_push_options>() - 40usize];
    ["Alignment of ecp_push_options"][::core::mem::align_of::<ecp_push_options>() - 8usize];
    ["Offset of field: ecp_push_options::alpha"][::core::mem::offset_of!(ecp_push_options, alpha) - 0usize];
    ["Offset of field: ecp_push_options::epsilon"][::core::mem::offset_of!(ecp_push_options, epsilon) - 8usize];
    ["Offset of field: ecp_push_options::edges_most"][::core::mem::offset_of!(ecp_push_options, edges_most) - 16usize];
    ["Offset of field: ecp_push_options::pause_after"]
        [::core::mem::offset_of!(ecp_push_options, pause_after) - 24usize];
    ["Offset of field: ecp_push_options::dangling"][::core::mem::offset_of!(ecp_push_options, dangling) - 32usize];
    ["Offset of field: ecp_push_options::reserved"][::core::mem::offset_of!(ecp_push_options, reserved) - 36usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ecp_push_past {
    pub estimates: *mut f64,
    pub residuals: *mut f64,
    pub waiting: *mut u32,
    pub reached_count: usize,
    pub waiting_count: usize,
    pub edges: u64,
    pub leading: u64,
    pub evenly: f64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ecp_push_past"][::core::mem::size_of::<ecp_push_past>() - 64usize];
    ["Alignment of ecp_push_past"][::core::mem::align_of::<ecp_push_past>() - 8usize];
    ["Offset of field: ecp_push_past::estimates"][::core::mem::offset_of!(ecp_push_past, estimates) - 0usize];
    ["Offset of field: ecp_push_past::residuals"][::core::mem::offset_of!(ecp_push_past, residuals) - 8usize];
    ["Offset of field: ecp_push_past::waiting"][::core::mem::offset_of!(ecp_push_past, waiting) - 16usize];
    ["Offset of field: ecp_push_past::reached_count"][::core::mem::offset_of!(ecp_push_past, reached_count) - 24usize];
    ["Offset of field: ecp_push_past::waiting_count"][::core::mem::offset_of!(ecp_push_past, waiting_count) - 32usize];
    ["Offset of field: ecp_push_past::edges"][::core::mem::offset_of!(ecp_push_past, edges) - 40usize];
    ["Offset of field: ecp_push_past::leading"][::core::mem::offset_of!(ecp_push_past, leading) - 48usize];
    ["Offset of field: ecp_push_past::evenly"][::core::mem::offset_of!(ecp_push_past, evenly) - 56usize];
};
impl Default for ecp_push_past {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct ecp_push_result {
    pub reached_count: usize,
    pub edges: u64,
    pub residual: f64,
    pub evenly: f64,
    pub stopped: u32,
    pub reserved: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ecp_push_result"][::core::mem::size_of::<ecp_push_result>() - 40usize];
    ["Alignment of ecp_push_result"][::core::mem::align_of::<ecp_push_result>() - 8usize];
    ["Offset of field: ecp_push_result::reached_count"]
        [::core::mem::offset_of!(ecp_push_result, reached_count) - 0usize];
    ["Offset of field: ecp_push_result::edges"][::core::mem::offset_of!(ecp_push_result, edges) - 8usize];
    ["Offset of field: ecp_push_result::residual"][::core::mem::offset_of!(ecp_push_result, residual) - 16usize];
    ["Offset of field: ecp_push_result::evenly"][::core::mem::offset_of!(ecp_push_result, evenly) - 24usize];
    ["Offset of field: ecp_push_result::stopped"][::core::mem::offset_of!(ecp_push_result, stopped) - 32usize];
    ["Offset of field: ecp_push_result::reserved"][::core::mem::offset_of!(ecp_push_result, reserved) - 36usize];
};
unsafe extern "C" {
    pub fn ecp_push_most(
        graph: *const ecp_graph,
        seeds: *const ecp_seed,
        seed_count: usize,
        options: *const ecp_push_options,
    ) -> usize;
}
unsafe extern "C" {
    pub fn ecp_push_need(
        graph: *const ecp_graph,
        seeds: *const ecp_seed,
        seed_count: usize,
        options: *const ecp_push_options,
    ) -> usize;
}
unsafe extern "C" {
    pub fn ecp_push(
        graph: *const ecp_graph,
        seeds: *const ecp_seed,
        seed_count: usize,
        options: *const ecp_push_options,
        past: *mut ecp_push_past,
        reached: *mut u32,
        estimates: *mut f32,
        residuals: *mut f32,
        result: *mut ecp_push_result,
        scratch: *mut ecp_scratch,
    ) -> ecp_status;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ecp_incoming {
    pub offsets: *const u32,
    pub sources: *const u32,
    pub shares: *const f32,
    pub node_count: usize,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ecp_incoming"][::core::mem::size_of::<ecp_incoming>() - 32usize];
    ["Alignment of ecp_incoming"][::core::mem::align_of::<ecp_incoming>() - 8usize];
    ["Offset of field: ecp_incoming::offsets"][::core::mem::offset_of!(ecp_incoming, offsets) - 0usize];
    ["Offset of field: ecp_incoming::sources"][::core::mem::offset_of!(ecp_incoming, sources) - 8usize];
    ["Offset of field: ecp_incoming::shares"][::core::mem::offset_of!(ecp_incoming, shares) - 16usize];
    ["Offset of field: ecp_incoming::node_count"][::core::mem::offset_of!(ecp_incoming, node_count) - 24usize];
};
impl Default for ecp_incoming {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
unsafe extern "C" {
    pub fn ecp_pull(
        incoming: *const ecp_incoming,
        first: usize,
        end: usize,
        lanes: usize,
        scale: f32,
        evenly: *const f32,
        x: *const f32,
        sums: *mut f32,
    ) -> ecp_status;
}
unsafe extern "C" {
    pub fn ecp_settle(
        rows: usize,
        lanes: usize,
        out_strengths: *const f32,
        keep: f32,
        gain: f32,
        sums: *const f32,
        ranks: *mut f32,
        totals: *mut f64,
    ) -> ecp_status;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ecp_law {
    pub kind: u32,
    pub floor: f32,
    pub first: *const f32,
    pub second: *const f32,
    pub parameter_count: usize,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ecp_law"][::core::mem::size_of::<ecp_law>() - 32usize];
    ["Alignment of ecp_law"][::core::mem::align_of::<ecp_law>() - 8usize];
    ["Offset of field: ecp_law::kind"][::core::mem::offset_of!(ecp_law, kind) - 0usize];
    ["Offset of field: ecp_law::floor"][::core::mem::offset_of!(ecp_law, floor) - 4usize];
    ["Offset of field: ecp_law::first"][::core::mem::offset_of!(ecp_law, first) - 8usize];
    ["Offset of field: ecp_law::second"][::core::mem::offset_of!(ecp_law, second) - 16usize];
    ["Offset of field: ecp_law::parameter_count"][::core::mem::offset_of!(ecp_law, parameter_count) - 24usize];
};
impl Default for ecp_law {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ecp_ages {
    pub seconds: *const f32,
    pub unix_milliseconds: *const i64,
    pub now: i64,
    pub uniform: *const f32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ecp_ages"][::core::mem::size_of::<ecp_ages>() - 32usize];
    ["Alignment of ecp_ages"][::core::mem::align_of::<ecp_ages>() - 8usize];
    ["Offset of field: ecp_ages::seconds"][::core::mem::offset_of!(ecp_ages, seconds) - 0usize];
    ["Offset of field: ecp_ages::unix_milliseconds"][::core::mem::offset_of!(ecp_ages, unix_milliseconds) - 8usize];
    ["Offset of field: ecp_ages::now"][::core::mem::offset_of!(ecp_ages, now) - 16usize];
    ["Offset of field: ecp_ages::uniform"][::core::mem::offset_of!(ecp_ages, uniform) - 24usize];
};
impl Default for ecp_ages {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ecp_selection {
    pub threshold: f32,
    pub above: u32,
    pub first_id: u32,
    pub ids: *mut u32,
    pub id_count: usize,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ecp_selection"][::core::mem::size_of::<ecp_selection>() - 32usize];
    ["Alignment of ecp_selection"][::core::mem::align_of::<ecp_selection>() - 8usize];
    ["Offset of field: ecp_selection::threshold"][::core::mem::offset_of!(ecp_selection, threshold) - 0usize];
    ["Offset of field: ecp_selection::above"][::core::mem::offset_of!(ecp_selection, above) - 4usize];
    ["Offset of field: ecp_selection::first_id"][::core::mem::offset_of!(ecp_selection, first_id) - 8usize];
    ["Offset of field: ecp_selection::ids"][::core::mem::offset_of!(ecp_selection, ids) - 16usize];
    ["Offset of field: ecp_selection::id_count"][::core::mem::offset_of!(ecp_selection, id_count) - 24usize];
};
impl Default for ecp_selection {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct ecp_decay_report {
    pub negative_ages: usize,
    pub nan_ages: usize,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ecp_decay_report"][::core::mem::size_of::<ecp_decay_report>() - 16usize];
    ["Alignment of ecp_decay_report"][::core::mem::align_of::<ecp_decay_report>() - 8usize];
    ["Offset of field: ecp_decay_report::negative_ages"]
        [::core::mem::offset_of!(ecp_decay_report, negative_ages) - 0usize];
    ["Offset of field: ecp_decay_report::nan_ages"][::core::mem::offset_of!(ecp_decay_report, nan_ages) - 8usize];
};
unsafe extern "C" {
    pub fn ecp_decay(
        law: *const ecp_law,
        ages: *const ecp_ages,
        strengths: *const f32,
        decayed: *mut f32,
        count: usize,
        selection: *mut ecp_selection,
        report: *mut ecp_decay_report,
    ) -> ecp_status;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ecp_base_level {
    pub d: f32,
    pub least_age: f32,
    pub offsets: *const u32,
    pub ages: *const ecp_ages,
    pub counts: *const u32,
    pub lifetimes: *const ecp_ages,
    pub memory_count: usize,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ecp_base_level"][::core::mem::size_of::<ecp_base_level>() - 48usize];
    ["Alignment of ecp_base_level"][::core::mem::align_of::<ecp_base_level>() - 8usize];
    ["Offset of field: ecp_base_level::d"][::core::mem::offset_of!(ecp_base_level, d) - 0usize];
    ["Offset of field: ecp_base_level::least_age"][::core::mem::offset_of!(ecp_base_level, least_age) - 4usize];
    ["Offset of field: ecp_base_level::offsets"][::core::mem::offset_of!(ecp_base_level, offsets) - 8usize];
    ["Offset of field: ecp_base_level::ages"][::core::mem::offset_of!(ecp_base_level, ages) - 16usize];
    ["Offset of field: ecp_base_level::counts"][::core::mem::offset_of!(ecp_base_level, counts) - 24usize];
    ["Offset of field: ecp_base_level::lifetimes"][::core::mem::offset_of!(ecp_base_level, lifetimes) - 32usize];
    ["Offset of field: ecp_base_level::memory_count"][::core::mem::offset_of!(ecp_base_level, memory_count) - 40usize];
};
impl Default for ecp_base_level {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
unsafe extern "C" {
    pub fn ecp_base_levels(
        level: *const ecp_base_level,
        activations: *mut f32,
        report: *mut ecp_decay_report,
    ) -> ecp_status;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ecp_fsrs {
    pub parameters: *const f64,
    pub stabilities: *mut f32,
    pub difficulties: *mut f32,
    pub elapsed_days: *const f32,
    pub grades: *const u8,
    pub count: usize,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ecp_fsrs"][::core::mem::size_of::<ecp_fsrs>() - 48usize];
    ["Alignment of ecp_fsrs"][::core::mem::align_of::<ecp_fsrs>() - 8usize];
    ["Offset of field: ecp_fsrs::parameters"][::core::mem::offset_of!(ecp_fsrs, parameters) - 0usize];
    ["Offset of field: ecp_fsrs::stabilities"][::core::mem::offset_of!(ecp_fsrs, stabilities) - 8usize];
    ["Offset of field: ecp_fsrs::difficulties"][::core::mem::offset_of!(ecp_fsrs, difficulties) - 16usize];
    ["Offset of field: ecp_fsrs::elapsed_days"][::core::mem::offset_of!(ecp_fsrs, elapsed_days) - 24usize];
    ["Offset of field: ecp_fsrs::grades"][::core::mem::offset_of!(ecp_fsrs, grades) - 32usize];
    ["Offset of field: ecp_fsrs::count"][::core::mem::offset_of!(ecp_fsrs, count) - 40usize];
};
impl Default for ecp_fsrs {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
unsafe extern "C" {
    pub fn ecp_fsrs_review(memories: *const ecp_fsrs) -> ecp_status;
}
unsafe extern "C" {
    pub fn ecp_fsrs_retrievability(memories: *const ecp_fsrs, retrievabilities: *mut f32) -> ecp_status;
}
unsafe extern "C" {
    pub fn ecp_bench_read(words: *const u64, count: usize, prefetched: bool) -> u64;
}
unsafe extern "C" {
    pub fn ecp_bench_multiply_adds(rounds: usize) -> u64;
}
unsafe extern "C" {
    pub fn ecp_bench_i8_dots(rounds: usize) -> u64;
}
unsafe extern "C" {
    pub fn ecp_bench_bf16_dots(rounds: usize) -> u64;
}
unsafe extern "C" {
    pub fn ecp_bench_dependent_adds(count: usize) -> u64;
}
unsafe extern "C" {
    pub fn ecp_bench_empty();
}
unsafe extern "C" {
    pub fn ecp_bench_arena_allocs(size: usize, count: usize, counted: bool) -> ecp_status;
}
unsafe extern "C" {
    pub fn ecp_bench_arena_carves(size: usize, count: usize) -> ecp_status;
}
unsafe extern "C" {
    pub fn ecp_bench_arena_blocks3(count: usize) -> ecp_status;
}
unsafe extern "C" {
    pub fn ecp_bench_arena_kernel3(count: usize, counted: bool) -> ecp_status;
}
unsafe extern "C" {
    pub fn ecp_bench_arena_kernel3_once() -> ecp_status;
}
unsafe extern "C" {
    pub fn ecp_bench_arena_kernel3_once_uncounted() -> ecp_status;
}
unsafe extern "C" {
    pub fn ecp_bench_arena_birth(capacity: usize, touched: bool) -> ecp_status;
}
