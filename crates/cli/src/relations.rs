use serde::Serialize;

/// Relations of WordNet that weigh the same.
#[derive(Debug, Serialize)]
pub struct Group {
    pub weight: f32,
    pub because: &'static str,
    pub relations: &'static [&'static str],
}

/// The one place that says what a link is worth: the more surely one synset brings the other to mind, the more.
pub const GROUPS: [Group; 5] = [
    Group {
        weight: 1.0,
        because: "same kind",
        relations: &["hypernym", "hyponym", "instance_hypernym", "instance_hyponym", "similar_to", "verb_group"],
    },
    Group {
        weight: 0.8,
        because: "part or effect",
        relations: &[
            "part_meronym",
            "part_holonym",
            "member_meronym",
            "member_holonym",
            "substance_meronym",
            "substance_holonym",
            "entailment",
            "cause",
        ],
    },
    Group { weight: 0.5, because: "same root or quality", relations: &["derivation", "attribute", "also_see"] },
    Group {
        weight: 0.3,
        because: "same field",
        relations: &[
            "domain_topic",
            "domain_region",
            "domain_usage",
            "member_of_topic",
            "member_of_region",
            "member_of_usage",
        ],
    },
    Group { weight: 0.1, because: "the opposite", relations: &["antonym"] },
];

/// The weight of `relation`, or `None` where the table has none.
pub fn weight(relation: &str) -> Option<f32> {
    GROUPS.iter().find(|group| group.relations.contains(&relation)).map(|group| group.weight)
}
