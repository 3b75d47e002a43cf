//! Frames that no browser sends (RFC 6455): each ends its own socket, and costs nobody else anything.

use futures_util::future::join_all;
use security_guard::Asker;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::server::{Server, within};

const PING: &[u8] = b"{\"type\":\"ping\"}";

/// A frame with the mask that a client has to use; one of zeros leaves the payload as it is.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap();
    let mut frame = vec![first];
    match u8::try_from(length).ok().filter(|length| *length < 126) {
        Some(length) => frame.push(0x80 | length),
        None => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// A socket without a client's good manners.
async fn raw_socket(server: &Server, token: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = format!(
        "GET /api/runtime/agent HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\nconnection: upgrade\r\n\
         upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server.address
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(within(stream.read_u8()).await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_against_the_protocol_end_their_own_socket() {
    let server = Server::new().await;
    let ada = server.register("ada").await;
    let mut other = server.talk(&ada).await;
    let unmasked = [&[0x81, PING.len() as u8], PING].concat();
    let endless = [&[0x81, 0x80 | 127][..], &(u64::MAX >> 1).to_be_bytes(), &[0; 4], PING].concat();
    let many_parts = [masked(0x01, &[b'x'; 1024]), masked(0x00, &[b'x'; 1024]).repeat(70), masked(0x80, b"x")].concat();
    for (what, bytes) in [
        ("an unmasked frame", unmasked),
        ("reserved bits", masked(0x81 | 0x70, PING)),
        ("a reserved kind", masked(0x83, PING)),
        ("a reserved control", masked(0x8b, b"")),
        ("a ping in parts", masked(0x09, b"x")),
        ("a large ping", masked(0x89, &[b'x'; 126])),
        ("a part of nothing", masked(0x80, PING)),
        ("a text within a text", [masked(0x01, PING), masked(0x81, PING)].concat()),
        ("no UTF-8", masked(0x81, &[0xff, 0xfe])),
        ("a length without end", endless),
        ("parts without end", many_parts),
        ("a close of one byte", masked(0x88, b"x")),
        ("no frame at all", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
    ] {
        let mut stream = raw_socket(&server, &ada.access_token.0).await;
        // The server may have hung up before all of it is written.
        let _ = stream.write_all(&bytes).await;
        let mut rest = Vec::new();
        // It ends by the server's doing; a reset is an end as well.
        let _ = within(stream.read_to_end(&mut rest)).await;
        assert!(!String::from_utf8_lossy(&rest).contains("pong"), "{what} was taken for a message");
        other.send(json!({ "type": "ping" })).await;
        assert_eq!(other.next().await["type"], "pong", "{what} harmed somebody else");
    }
    let mut stream = raw_socket(&server, &ada.access_token.0).await;
    let (first, rest) = PING.split_at(5);
    stream.write_all(&[masked(0x01, first), masked(0x89, b"alive"), masked(0x80, rest)].concat()).await.unwrap();
    let mut said = Vec::new();
    while !String::from_utf8_lossy(&said).contains("pong") {
        said.push(within(stream.read_u8()).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_race_with_one_ticket_one_comes_in() {
    let server = Server::new().await;
    let ada = server.register("ada").await;
    let ticket = server.guard.issue_ticket(&Asker::User(ada.caller.clone())).unwrap().ticket.0;
    let path = format!("/api/runtime/agent?ticket={ticket}");
    let outcomes = join_all((0..20).map(|_| server.open(&path, &[]))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).all(|status| *status == 401));
}
