//! The way out against servers on this machine that mean harm.

use std::io::{Read, Write};

use super::*;

const PATIENCE: Duration = Duration::from_secs(5);

/// A server that answers one request with these bytes, then stays silent for as long as the client stays.
fn server(answer: &'static [u8]) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::Builder::new()
        .spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(answer);
            let _ = stream.read(&mut request);
        })
        .unwrap();
    address
}

fn open(allow: &[&str]) -> Outbound {
    Outbound::new(&allow.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>()).unwrap()
}

// ASVS 1.3.6: Calls to other servers go to public addresses, judged after the name was resolved.
// ASVS 13.2.4: What lies inside can be called only where an operator has named it.
#[tokio::test]
async fn what_lies_inside_is_refused_however_it_is_written() {
    let address = server(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi");
    let port = address.port();
    let outbound = open(&["elsewhere.example"]);
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "localhost",
        "localhost.",
        "LOCALHOST",
        "169.254.169.254",
        "10.0.0.1",
        "[fd00::1]",
    ] {
        for scheme in ["http", "https"] {
            let answer = outbound.get(&format!("{scheme}://{host}:{port}/"), 100, PATIENCE).await;
            assert!(matches!(answer, Err(OutboundError::NotAllowed { .. })), "{scheme}://{host}: {answer:?}");
        }
    }
    for address in ["file:///etc/passwd", "ftp://example.com", "gopher://127.0.0.1", "nonsense", ""] {
        let answer = outbound.get(address, 100, PATIENCE).await;
        assert!(matches!(answer, Err(OutboundError::NotAnAddress(_))), "{address}: {answer:?}");
    }
    for allowed in ["127.0.0.1", "localhost"] {
        let address = server(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi");
        let url = format!("http://{allowed}:{}/", address.port());
        assert_eq!(open(&[allowed]).get(&url, 100, PATIENCE).await, Ok(b"hi".to_vec()), "{allowed}");
    }
}

#[tokio::test]
async fn answers_have_a_bound() {
    let outbound = open(&["127.0.0.1"]);
    let get = async |answer: &'static [u8]| {
        let url = format!("http://{}/", server(answer));
        outbound.get(&url, 10, Duration::from_millis(500)).await
    };
    let host = || "127.0.0.1".to_owned();
    assert_eq!(get(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789").await, Ok(b"0123456789".to_vec()));
    let too_large = Err(OutboundError::TooLarge { host: host(), max_bytes: 10 });
    assert_eq!(get(b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n01234567890").await, too_large);
    let endless = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\n012345\r\n6\r\n012345\r\n";
    assert_eq!(get(endless).await, too_large);
    assert_eq!(get(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123").await, Err(OutboundError::TooSlow(host())));
    assert_eq!(get(b"").await, Err(OutboundError::TooSlow(host())));
    for (answer, status) in [
        (&b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"[..], 302),
        (b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n", 500),
    ] {
        assert_eq!(get(answer).await, Err(OutboundError::Status { host: host(), status }));
    }
}
