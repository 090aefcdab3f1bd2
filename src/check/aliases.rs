//! Names that mean other names, as the user has decided: `Dell Inc.` is `Dell`.
//!
//! A decision concerns the names by which columns refer to records of one collection. It is applied before a row is
//! checked, so that whatever follows sees the name that counts.

use std::collections::HashMap;

use crate::error::Diagnostic;
use crate::schema::fold_name;

/// One decision, as a file says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NameDecision {
    pub collection: &'static str,
    pub name: String,
    /// The name itself where it is none of those that it looks like.
    pub use_instead: String,
    /// Where it stands: `aliases.csv, row 2`.
    pub place: String,
}

/// The decisions, by collection and folded name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Aliases {
    collections: HashMap<&'static str, HashMap<String, NameDecision>>,
}

/// Why decisions cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AliasError {
    #[error("{first} and {second} say different names for `{name}` in {collection}")]
    Contradiction { collection: &'static str, name: String, first: String, second: String },
    #[error("{place}: the names in {collection} go round in a circle: {circle}")]
    Cycle { collection: &'static str, place: String, circle: String },
}

impl Diagnostic for AliasError {
    fn hint(&self) -> Option<String> {
        Some(String::from(match self {
            Self::Contradiction { .. } => "keep one of the two lines",
            Self::Cycle { .. } => "decide for one of the names, and write it in each of these lines",
        }))
    }
}

impl Aliases {
    /// # Errors
    /// Where two decisions contradict each other, or lead back to where they began.
    pub(crate) fn new(decisions: impl IntoIterator<Item = NameDecision>) -> Result<Self, AliasError> {
        let mut aliases = Self::default();
        for decision in decisions {
            aliases.add(decision)?;
        }
        for known in aliases.collections.values() {
            let mut names: Vec<&NameDecision> = known.values().collect();
            names.sort_by(|one, other| one.name.cmp(&other.name));
            names.into_iter().try_for_each(|decision| find_cycle(known, decision))?;
        }
        Ok(aliases)
    }

    fn add(&mut self, decision: NameDecision) -> Result<(), AliasError> {
        let known = self.collections.entry(decision.collection).or_default();
        match known.get(fold_name(&decision.name).as_ref()) {
            Some(other) if other.use_instead == decision.use_instead => Ok(()),
            Some(other) => Err(AliasError::Contradiction {
                collection: decision.collection,
                first: other.place.clone(),
                second: decision.place,
                name: decision.name,
            }),
            None => {
                known.insert(fold_name(&decision.name).into_owned(), decision);
                Ok(())
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.collections.is_empty()
    }

    /// The decision that a name of a collection comes to, over as many steps as it takes. None where none was made.
    pub(crate) fn find(&self, collection: &str, name: &str) -> Option<&NameDecision> {
        let known = self.collections.get(collection)?;
        let mut decision = known.get(fold_name(name).as_ref())?;
        while let Some(next) = next(known, decision) {
            decision = next;
        }
        Some(decision)
    }

    /// The folded names of a collection that stand for themselves, and no other name means them.
    pub(crate) fn settled(&self, collection: &str) -> impl Iterator<Item = &str> {
        let known = self.collections.get(collection);
        let settled = known.into_iter().flatten().filter(|(_, decision)| is_itself(decision));
        settled.map(|(name, _)| name.as_str()).filter(|name| !self.is_meant(collection, name))
    }

    /// Whether another name means this one, which is folded.
    fn is_meant(&self, collection: &str, folded: &str) -> bool {
        let known = self.collections.get(collection).into_iter().flat_map(HashMap::values);
        known.filter(|decision| !is_itself(decision)).any(|decision| fold_name(&decision.use_instead) == folded)
    }
}

/// Whether the decision is that a name is none of those that it looks like.
fn is_itself(decision: &NameDecision) -> bool {
    fold_name(&decision.name) == fold_name(&decision.use_instead)
}

fn next<'a>(known: &'a HashMap<String, NameDecision>, decision: &NameDecision) -> Option<&'a NameDecision> {
    if is_itself(decision) {
        return None;
    }
    known.get(fold_name(&decision.use_instead).as_ref())
}

fn find_cycle(known: &HashMap<String, NameDecision>, first: &NameDecision) -> Result<(), AliasError> {
    let mut names = vec![first.name.as_str()];
    let mut decision = first;
    while let Some(following) = next(known, decision) {
        names.push(&following.name);
        if fold_name(&following.name) == fold_name(&first.name) {
            let circle: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            let (collection, place) = (first.collection, first.place.clone());
            return Err(AliasError::Cycle { collection, place, circle: circle.join(" → ") });
        }
        // A circle that the first name only leads into is reported at one of its own names.
        if names.len() > known.len() {
            return Ok(());
        }
        decision = following;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{AliasError, Aliases, NameDecision};

    fn aliases(pairs: &[(&str, &str)]) -> Result<Aliases, AliasError> {
        let decision = |(row, (name, other)): (usize, &(&str, &str))| NameDecision {
            collection: "manufacturers",
            name: (*name).to_owned(),
            use_instead: (*other).to_owned(),
            place: format!("a.csv, row {}", row + 2),
        };
        Aliases::new(pairs.iter().enumerate().map(decision))
    }

    #[test]
    fn a_name_is_followed_to_the_end_whatever_its_case() {
        let aliases = aliases(&[("Dell Inc.", "Dell GmbH"), ("Dell GmbH", "Dell")]).unwrap();
        let meant = |name: &str| aliases.find("manufacturers", name).map(|decision| decision.use_instead.as_str());
        assert_eq!(meant(" DELL  inc. "), Some("Dell"));
        assert_eq!(meant("Dell"), None);
        assert!(aliases.find("suppliers", "Dell Inc.").is_none());
    }

    #[test]
    fn a_name_that_stands_for_itself_is_settled_unless_others_mean_it() {
        let aliases = aliases(&[("Dell", "Dell"), ("Dell Inc.", "Dell"), ("Dell EMC", "dell emc")]).unwrap();
        assert_eq!(aliases.settled("manufacturers").collect::<Vec<_>>(), ["dell emc"]);
        assert_eq!(aliases.find("manufacturers", "DELL EMC").unwrap().use_instead, "dell emc");
    }

    #[test]
    fn circles_and_contradictions_are_errors() {
        let circle = aliases(&[("C", "A"), ("A", "B"), ("B", "a")]).unwrap_err();
        assert_eq!(
            circle.to_string(),
            "a.csv, row 3: the names in manufacturers go round in a circle: `A` → `B` → `A`"
        );
        let contradiction = aliases(&[("A", "B"), ("a", "C")]).unwrap_err();
        assert_eq!(
            contradiction.to_string(),
            "a.csv, row 2 and a.csv, row 3 say different names for `a` in manufacturers"
        );
        assert!(aliases(&[("A", "B"), ("A", "B")]).is_ok());
    }
}
