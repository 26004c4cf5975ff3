use ecphory::{ArenaConfig, tier};
use serde::Serialize;

use crate::failure::Failure;
use crate::text::{count, grouped, paragraph, size};

/// What this build runs on here.
#[derive(Debug, Serialize)]
struct Info {
    version: &'static str,
    /// None where `ECPHORY_TIER` asks for one that cannot be had.
    tier: Option<&'static str>,
    tiers: Vec<Tier>,
    zig: &'static str,
    arena: Arena,
    rayon_threads: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
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

/// The report, and what went wrong: the tiers are worth telling above all when the one asked for is unknown.
pub fn run(json: bool) -> Result<(String, Option<Failure>), Failure> {
    let (tier, failure) = match tier::in_use() {
        Ok(name) => (Some(name), None),
        Err(error) => (None, Some(Failure::from(error))),
    };
    let info = Info {
        version: env!("CARGO_PKG_VERSION"),
        tier,
        tiers: tier::all().into_iter().map(|tier| Tier { name: tier.name, supported: tier.supported }).collect(),
        zig: tier::zig_version(),
        arena: Arena { capacity_bytes: ArenaConfig::current().capacity_bytes() },
        rayon_threads: rayon::current_num_threads(),
        error: failure.as_ref().map(Failure::to_string),
    };
    let text = if json { serde_json::to_string(&info)? + "\n" } else { info.text() };
    Ok((text, failure))
}

impl Info {
    fn text(&self) -> String {
        let mut text = paragraph("ecphory", self.version);
        text += &paragraph("tier in use", self.tier.unwrap_or("none"));
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
