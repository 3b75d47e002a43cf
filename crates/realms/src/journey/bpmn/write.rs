//! A workflow as BPMN XML.

use std::io;

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};

use super::{
    BOUNDS, DIAGRAM, MODEL, WAYPOINTS,
    layout::{Layout, Shape, layout},
};
use crate::journey::{
    mermaid::shown_label,
    workflow::{Edge, Node, NodeKind, Workflow},
};

type Xml = Writer<Vec<u8>>;

/// Writes the model and its diagram. Actors are lanes of the model; the diagram shows the flow without them.
pub fn write_bpmn(workflow: &Workflow) -> String {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    write_document(&mut xml, workflow).expect("writing to memory cannot fail");
    String::from_utf8(xml.into_inner()).expect("the writer was given text only")
}

fn write_document(xml: &mut Xml, workflow: &Workflow) -> io::Result<()> {
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    xml.create_element("bpmn:definitions")
        .with_attribute(("xmlns:bpmn", MODEL))
        .with_attribute(("xmlns:bpmndi", DIAGRAM))
        .with_attribute(("xmlns:dc", BOUNDS))
        .with_attribute(("xmlns:di", WAYPOINTS))
        .with_attribute(("id", "definitions"))
        .with_attribute(("targetNamespace", "urn:symphainy:workflow"))
        .write_inner_content(|xml| {
            write_process(xml, workflow)?;
            write_diagram(xml, workflow, &layout(workflow))
        })?;
    Ok(())
}

fn write_process(xml: &mut Xml, workflow: &Workflow) -> io::Result<()> {
    xml.create_element("bpmn:process")
        .with_attribute(("id", "process"))
        .with_attribute(("name", workflow.title.as_str()))
        .with_attribute(("isExecutable", "false"))
        .write_inner_content(|xml| {
            write_lanes(xml, workflow)?;
            workflow.nodes.iter().try_for_each(|node| write_node(xml, workflow, node))?;
            workflow.edges.iter().enumerate().try_for_each(|(index, edge)| write_flow(xml, index, edge))
        })?;
    Ok(())
}

fn write_lanes(xml: &mut Xml, workflow: &Workflow) -> io::Result<()> {
    let actors = workflow.actors();
    if actors.is_empty() {
        return Ok(());
    }
    xml.create_element("bpmn:laneSet").with_attribute(("id", "lanes")).write_inner_content(|xml| {
        for (index, actor) in actors.iter().enumerate() {
            let id = format!("lane_{}", index + 1);
            let lane = xml.create_element("bpmn:lane").with_attribute(("id", id.as_str()));
            lane.with_attribute(("name", *actor)).write_inner_content(|xml| {
                for node in workflow.nodes.iter().filter(|node| node.actor.as_deref() == Some(actor)) {
                    write_text(xml, "bpmn:flowNodeRef", &node.id)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    })?;
    Ok(())
}

fn write_node(xml: &mut Xml, workflow: &Workflow, node: &Node) -> io::Result<()> {
    let element = match node.kind {
        NodeKind::Start => "bpmn:startEvent",
        NodeKind::Task => "bpmn:task",
        NodeKind::Decision => "bpmn:exclusiveGateway",
        NodeKind::End => "bpmn:endEvent",
    };
    let flows = |wanted: fn(&Edge) -> &str| {
        let found = workflow.edges.iter().enumerate().filter(move |(_, edge)| wanted(edge) == node.id);
        found.map(|(index, _)| flow_id(index)).collect::<Vec<_>>()
    };
    let (incoming, outgoing) = (flows(|edge| &edge.to), flows(|edge| &edge.from));
    let element = xml.create_element(element).with_attribute(("id", node.id.as_str()));
    let element = element.with_attribute(("name", shown_label(node).as_str()));
    if incoming.is_empty() && outgoing.is_empty() {
        element.write_empty()?;
        return Ok(());
    }
    element.write_inner_content(|xml| {
        incoming.iter().try_for_each(|flow| write_text(xml, "bpmn:incoming", flow))?;
        outgoing.iter().try_for_each(|flow| write_text(xml, "bpmn:outgoing", flow))
    })?;
    Ok(())
}

fn write_flow(xml: &mut Xml, index: usize, edge: &Edge) -> io::Result<()> {
    let id = flow_id(index);
    let mut flow = xml.create_element("bpmn:sequenceFlow").with_attribute(("id", id.as_str()));
    if let Some(label) = &edge.label {
        flow = flow.with_attribute(("name", label.as_str()));
    }
    flow.with_attribute(("sourceRef", edge.from.as_str()))
        .with_attribute(("targetRef", edge.to.as_str()))
        .write_empty()?;
    Ok(())
}

fn write_diagram(xml: &mut Xml, workflow: &Workflow, layout: &Layout) -> io::Result<()> {
    xml.create_element("bpmndi:BPMNDiagram").with_attribute(("id", "diagram")).write_inner_content(|xml| {
        let plane = xml.create_element("bpmndi:BPMNPlane").with_attribute(("id", "plane"));
        plane.with_attribute(("bpmnElement", "process")).write_inner_content(|xml| {
            let shapes = workflow.nodes.iter().zip(&layout.shapes);
            shapes.into_iter().try_for_each(|(node, shape)| write_shape(xml, node, *shape))?;
            let edges = layout.waypoints.iter().enumerate();
            edges.into_iter().try_for_each(|(index, points)| write_edge(xml, index, points))
        })?;
        Ok(())
    })?;
    Ok(())
}

fn write_shape(xml: &mut Xml, node: &Node, shape: Shape) -> io::Result<()> {
    let id = format!("{}_shape", node.id);
    let element = xml.create_element("bpmndi:BPMNShape").with_attribute(("id", id.as_str()));
    let mut element = element.with_attribute(("bpmnElement", node.id.as_str()));
    if node.kind == NodeKind::Decision {
        element = element.with_attribute(("isMarkerVisible", "true"));
    }
    element.write_inner_content(|xml| {
        let [x, y, width, height] = [shape.x, shape.y, shape.width, shape.height].map(|length| length.to_string());
        let bounds =
            xml.create_element("dc:Bounds").with_attribute(("x", x.as_str())).with_attribute(("y", y.as_str()));
        bounds.with_attribute(("width", width.as_str())).with_attribute(("height", height.as_str())).write_empty()?;
        Ok(())
    })?;
    Ok(())
}

fn write_edge(xml: &mut Xml, index: usize, points: &[(i64, i64)]) -> io::Result<()> {
    let flow = flow_id(index);
    let id = format!("{flow}_edge");
    let element = xml.create_element("bpmndi:BPMNEdge").with_attribute(("id", id.as_str()));
    element.with_attribute(("bpmnElement", flow.as_str())).write_inner_content(|xml| {
        for (x, y) in points {
            let point = xml.create_element("di:waypoint").with_attribute(("x", x.to_string().as_str()));
            point.with_attribute(("y", y.to_string().as_str())).write_empty()?;
        }
        Ok(())
    })?;
    Ok(())
}

fn write_text(xml: &mut Xml, element: &str, text: &str) -> io::Result<()> {
    xml.create_element(element).write_text_content(BytesText::new(text))?;
    Ok(())
}

fn flow_id(index: usize) -> String {
    format!("flow_{}", index + 1)
}
