use ecphory::{ArenaConfig, tier};
use serde::Serialize;

use crate::failure::Failure;
use crate::text::{count, grouped, paragraph, size};

/// What this build runs on here.
#[derive(Debug, Serialize)]
struct Info {
    version: &'static str,
    tier: &'static str,
    tiers: Vec<Tier>,
    zig: &'static str,
    arena: Arena,
    rayon_threads: usize,
}

#[derive(Debug, Serialize)]
struct Tier {
    name: &'static str,
    supported: bool,
}

#[derive(Debug, Serialize)]
struct Arena {
    capacity_bytes: usize,
}

/// The report. Where the tier asked for cannot be had, the error names those that can.
pub fn run(json: bool) -> Result<String, Failure> {
    let info = Info {
        version: env!("CARGO_PKG_VERSION"),
        tier: tier::in_use()?,
        tiers: tier::all().into_iter().map(|tier| Tier { name: tier.name, supported: tier.supported }).collect(),
        zig: tier::zig_version(),
        arena: Arena { capacity_bytes: ArenaConfig::current().capacity_bytes() },
        rayon_threads: rayon::current_num_threads(),
    };
    Ok(if json { serde_json::to_string(&info)? + "\n" } else { info.text() })
}

impl Info {
    fn text(&self) -> String {
        let mut text = paragraph("ecphory", self.version);
        text += &paragraph("tier in use", self.tier);
        let width = self.tiers.iter().map(|tier| tier.name.len()).max().unwrap_or_default();
        for (position, tier) in self.tiers.iter().enumerate() {
            let supported = if tier.supported { "supported" } else { "not supported by this machine" };
            let label = if position == 0 { "tiers" } else { "" };
            text += &paragraph(label, &format!("{:<width$}  {supported}", tier.name));
        }
        let capacity = self.arena.capacity_bytes;
        text += &paragraph("Zig", self.zig);
        text += &paragraph("arena", &format!("{} bytes ({}) for each thread", grouped(capacity), size(capacity)));
        text += &paragraph("rayon", &count(self.rayon_threads, "thread", "threads"));
        text
    }
}
