//! Where the shapes of a diagram stand: columns by the longest way from the start, rows by where their predecessors stand.
//! Edges that lead back run above everything else.

use crate::journey::workflow::{NodeKind, Workflow};

const COLUMN: i64 = 180;
const ROW: i64 = 120;
const LEFT: i64 = 100;
const TOP: i64 = 160;
/// How far apart edges that lead back run.
const LANE: i64 = 12;
/// How many heights there are for edges that lead back before they share one.
const LANES: i64 = 8;

/// A shape's place, in points from the top left corner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) width: i64,
    pub(super) height: i64,
}

/// The shapes by the index of their nodes, the waypoints by the index of their edges.
pub(super) struct Layout {
    pub(super) shapes: Vec<Shape>,
    pub(super) waypoints: Vec<Vec<(i64, i64)>>,
}

/// Places everything; the same workflow always in the same way.
pub(super) fn layout(workflow: &Workflow) -> Layout {
    let ends = edge_ends(workflow);
    let columns = columns(workflow, &ends);
    let rows = rows(&columns, &ends);
    let shapes: Vec<Shape> = (0..workflow.nodes.len())
        .map(|index| {
            let (width, height) = size(workflow.nodes[index].kind);
            let (x, y) = (LEFT + columns[index] * COLUMN, TOP + rows[index] * ROW);
            Shape { x: x - width / 2, y: y - height / 2, width, height }
        })
        .collect();
    let waypoints = ends
        .iter()
        .enumerate()
        .map(|(edge, &ends)| match ends {
            Some((from, to)) if columns[from] < columns[to] => forward(shapes[from], shapes[to]),
            Some((from, to)) => backward(shapes[from], shapes[to], edge),
            None => Vec::new(),
        })
        .collect();
    Layout { shapes, waypoints }
}

/// The usual sizes of modelling tools.
fn size(kind: NodeKind) -> (i64, i64) {
    match kind {
        NodeKind::Start | NodeKind::End => (36, 36),
        NodeKind::Task => (120, 80),
        NodeKind::Decision => (50, 50),
    }
}

fn edge_ends(workflow: &Workflow) -> Vec<Option<(usize, usize)>> {
    let number: std::collections::HashMap<&str, usize> =
        workflow.nodes.iter().enumerate().map(|(index, node)| (node.id.as_str(), index)).collect();
    let find = |id: &str| number.get(id).copied();
    workflow.edges.iter().map(|edge| Some((find(&edge.from)?, find(&edge.to)?))).collect()
}

/// The longest way from a beginning to each node, over the edges that do not lead back.
fn columns(workflow: &Workflow, ends: &[Option<(usize, usize)>]) -> Vec<i64> {
    let count = workflow.nodes.len();
    let mut next = vec![Vec::new(); count];
    for &(from, to) in ends.iter().flatten() {
        next[from].push(to);
    }
    let mut order = Vec::with_capacity(count);
    let mut back = std::collections::HashSet::new();
    // 0: not seen, 1: on the path, 2: done.
    let mut state = vec![0_u8; count];
    for root in 0..count {
        visit(root, &next, &mut state, &mut order, &mut back);
    }
    let mut columns = vec![0; count];
    for &node in order.iter().rev() {
        for &to in next[node].iter().filter(|&&to| !back.contains(&(node, to))) {
            columns[to] = columns[to].max(columns[node] + 1);
        }
    }
    columns
}

/// Depth first, without recursion because a procedure is a long chain; `order` gets nodes after all their followers.
fn visit(
    root: usize,
    next: &[Vec<usize>],
    state: &mut [u8],
    order: &mut Vec<usize>,
    back: &mut std::collections::HashSet<(usize, usize)>,
) {
    if state[root] != 0 {
        return;
    }
    state[root] = 1;
    let mut path = vec![(root, 0)];
    while let Some((node, edge)) = path.last_mut() {
        let from = *node;
        let Some(&to) = next[from].get(*edge) else {
            state[from] = 2;
            order.push(from);
            path.pop();
            continue;
        };
        *edge += 1;
        match state[to] {
            0 => {
                state[to] = 1;
                path.push((to, 0));
            }
            1 => {
                back.insert((from, to));
            }
            _ => {}
        }
    }
}

/// Each node in the row of its first predecessor, or the next free one of its column.
fn rows(columns: &[i64], ends: &[Option<(usize, usize)>]) -> Vec<i64> {
    let mut by_column: Vec<usize> = (0..columns.len()).collect();
    by_column.sort_by_key(|&node| (columns[node], node));
    let mut first_before: Vec<Option<usize>> = vec![None; columns.len()];
    for &(from, to) in ends.iter().flatten().filter(|&&(from, to)| columns[from] < columns[to]) {
        first_before[to].get_or_insert(from);
    }
    let mut rows = vec![0; columns.len()];
    let mut free = std::collections::HashMap::new();
    for node in by_column {
        let wanted = first_before[node].map_or(0, |before| rows[before]);
        let next_free: &mut i64 = free.entry(columns[node]).or_insert(0);
        rows[node] = wanted.max(*next_free);
        *next_free = rows[node] + 1;
    }
    rows
}

fn forward(from: Shape, to: Shape) -> Vec<(i64, i64)> {
    let (start, end) = ((from.x + from.width, from.y + from.height / 2), (to.x, to.y + to.height / 2));
    if start.1 == end.1 {
        return vec![start, end];
    }
    // The bend stands before the target, so that edges from different rows join there.
    let bend = end.0 - (COLUMN - 120) / 2;
    vec![start, (bend, start.1), (bend, end.1), end]
}

fn backward(from: Shape, to: Shape, edge: usize) -> Vec<(i64, i64)> {
    let lane = i64::try_from(edge).unwrap_or(0) % LANES;
    let height = TOP - ROW / 2 - LANE * (lane + 1);
    let (start, end) = (from.x + from.width / 2, to.x + to.width / 2);
    vec![(start, from.y), (start, height), (end, height), (end, to.y)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journey::procedure::read_procedure;

    #[test]
    fn shapes_never_overlap() {
        let text = "1. Open. \n2. If A is b, go to step 4; otherwise go to step 5.\n3. C\n4. If d is e, f. Else if g is h, go to step 1. Otherwise i.\n5. j\n";
        let workflow = read_procedure(text, "t").unwrap();
        let places = layout(&workflow);
        for (index, one) in places.shapes.iter().enumerate() {
            for other in &places.shapes[..index] {
                let apart = one.x + one.width <= other.x
                    || other.x + other.width <= one.x
                    || one.y + one.height <= other.y
                    || other.y + other.height <= one.y;
                assert!(apart, "{one:?} {other:?}");
            }
            assert!(one.x >= 0 && one.y >= 0);
        }
        assert!(
            places.waypoints.iter().all(|points| points.len() >= 2 && points.iter().all(|&(x, y)| x >= 0 && y >= 0))
        );
    }
}
