//! Who is next where more waits than there are places: the priorities share the places by weight, so that none starves, and within a
//! priority the tenants take turns, so that one with much to do keeps no other waiting.

use std::collections::{HashMap, VecDeque};

use contract::intent::Priority;

/// In which order the priorities are asked: of seven places high has four, normal two and low one, and what one of them does not
/// need goes to the others.
const TURNS: [Priority; 7] =
    [Priority::High, Priority::Normal, Priority::High, Priority::Low, Priority::High, Priority::Normal, Priority::High];

/// Items that wait, each for its tenant's turn in its priority.
pub(super) struct Ready<T> {
    high: Class<T>,
    normal: Class<T>,
    low: Class<T>,
    /// The place in `TURNS` of whoever is next.
    turn: usize,
}

/// What waits in one priority.
struct Class<T> {
    by_tenant: HashMap<String, VecDeque<T>>,
    /// The tenants that have something waiting, in the order of their turns.
    turns: VecDeque<String>,
}

impl<T> Default for Ready<T> {
    fn default() -> Self {
        Self { high: Class::default(), normal: Class::default(), low: Class::default(), turn: 0 }
    }
}

impl<T> Ready<T> {
    pub(super) fn push(&mut self, priority: Priority, tenant: &str, item: T) {
        self.class(priority).push(tenant, item);
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        for _ in 0..TURNS.len() {
            let priority = TURNS[self.turn];
            self.turn = (self.turn + 1) % TURNS.len();
            if let Some(item) = self.class(priority).pop() {
                return Some(item);
            }
        }
        None
    }

    fn class(&mut self, priority: Priority) -> &mut Class<T> {
        match priority {
            Priority::High => &mut self.high,
            Priority::Normal => &mut self.normal,
            Priority::Low => &mut self.low,
        }
    }
}

impl<T> Default for Class<T> {
    fn default() -> Self {
        Self { by_tenant: HashMap::new(), turns: VecDeque::new() }
    }
}

impl<T> Class<T> {
    fn push(&mut self, tenant: &str, item: T) {
        if let Some(waiting) = self.by_tenant.get_mut(tenant) {
            waiting.push_back(item);
            return;
        }
        self.by_tenant.insert(tenant.to_owned(), VecDeque::from([item]));
        self.turns.push_back(tenant.to_owned());
    }

    fn pop(&mut self) -> Option<T> {
        let tenant = self.turns.pop_front()?;
        let waiting = self.by_tenant.get_mut(&tenant)?;
        let item = waiting.pop_front();
        if waiting.is_empty() {
            self.by_tenant.remove(&tenant);
        } else {
            self.turns.push_back(tenant);
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pushes `(priority, tenant, item)` and answers the items in the order in which they come.
    fn order(waiting: &[(Priority, &str, &'static str)]) -> Vec<&'static str> {
        let mut ready = Ready::default();
        for (priority, tenant, item) in waiting {
            ready.push(*priority, tenant, *item);
        }
        std::iter::from_fn(|| ready.pop()).collect()
    }

    #[test]
    fn tenants_take_turns() {
        use Priority::Normal;
        let waiting = [(Normal, "a", "a1"), (Normal, "a", "a2"), (Normal, "a", "a3"), (Normal, "b", "b1")];
        assert_eq!(order(&waiting), ["a1", "b1", "a2", "a3"]);
    }

    #[test]
    fn what_is_urgent_comes_first_and_nothing_starves() {
        let mut ready = Ready::default();
        for number in 0..700 {
            ready.push(Priority::High, "a", (Priority::High, number));
            ready.push(Priority::Normal, "a", (Priority::Normal, number));
            ready.push(Priority::Low, "a", (Priority::Low, number));
        }
        let first: Vec<_> = std::iter::from_fn(|| ready.pop()).take(70).collect();
        let of = |wanted| first.iter().filter(|(priority, _)| *priority == wanted).count();
        assert_eq!((of(Priority::High), of(Priority::Normal), of(Priority::Low)), (40, 20, 10));
        assert_eq!(first[0].0, Priority::High);
    }

    #[test]
    fn a_place_that_one_does_not_need_goes_to_another() {
        use Priority::{High, Low};
        assert_eq!(order(&[(Low, "a", "l1"), (Low, "a", "l2"), (High, "b", "h1")]), ["h1", "l1", "l2"]);
        assert_eq!(order(&[]), [] as [&str; 0]);
    }
}
