//! Letters of the real binary: to a server of mail that speaks SMTP, across a kill, and into files.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, Receiver, Sender},
    thread,
};

use serde_json::{Value, json};

use crate::{
    person::{PASSWORD, Person, http},
    process::{PATIENCE, Place},
};

/// Takes letters as a server of mail does (RFC 5321).
struct MailServer {
    port: u16,
    letters: Receiver<String>,
    /// A connection that is held without an answer, for as long as this is not dropped.
    held: Receiver<TcpStream>,
}

impl MailServer {
    /// Holds the first so many connections without a word.
    fn start(silent: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (letter, letters) = mpsc::channel();
        let (hold, held) = mpsc::channel();
        let work = move || {
            for (number, connection) in listener.incoming().enumerate() {
                let Ok(connection) = connection else { return };
                if number < silent {
                    let _ = hold.send(connection);
                } else {
                    // Whoever hangs up in the middle has nothing delivered.
                    let _ = converse(connection, &letter);
                }
            }
        };
        thread::Builder::new().name("mail".to_owned()).spawn(work).unwrap();
        Self { port, letters, held }
    }

    fn settings(&self) -> String {
        format!("[mail]\nsmtp = \"smtp://127.0.0.1:{}\"\nfrom = \"House <house@example.com>\"\n", self.port)
    }

    /// The next letter, as it came.
    fn next(&self) -> String {
        self.letters.recv_timeout(PATIENCE).unwrap()
    }
}

fn converse(connection: TcpStream, letters: &Sender<String>) -> std::io::Result<()> {
    let mut answers = connection.try_clone()?;
    let mut lines = BufReader::new(connection).lines();
    let mut envelope = String::new();
    answers.write_all(b"220 mail.example.com\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250 mail.example.com",
            "MAIL" | "RCPT" => {
                envelope.push_str(&format!("{line}\n"));
                "250 well"
            }
            "DATA" => {
                answers.write_all(b"354 go on\r\n")?;
                let mut letter = std::mem::take(&mut envelope);
                while let Some(line) = lines.next().transpose()?.filter(|line| line != ".") {
                    letter.push_str(&format!("{line}\n"));
                }
                let _ = letters.send(letter);
                "250 taken"
            }
            "NOOP" => "250 here",
            "QUIT" => {
                answers.write_all(b"221 bye\r\n")?;
                return Ok(());
            }
            _ => "502 no",
        };
        answers.write_all(format!("{answer}\r\n").as_bytes())?;
    }
    Ok(())
}

fn token(letter: &str) -> String {
    letter.lines().find(|line| line.starts_with("symm_")).unwrap_or_else(|| panic!("no token in {letter}")).to_owned()
}

async fn ask(url: &str, path: &str, body: Value) -> u16 {
    http().post(format!("{url}{path}")).json(&body).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_goes_out_by_smtp_and_sets_a_password() {
    let (place, mail) = (Place::new(), MailServer::start(0));
    place.set(&mail.settings());
    let server = place.serve(&[]);
    Person::register(&server.url, "Ada").await;
    let forgot = json!({ "email": "ada@example.com" });
    assert_eq!(ask(&server.url, "/api/auth/password/forgot", forgot).await, 202);
    let letter = mail.next();
    for expected in [
        "MAIL FROM:<house@example.com>",
        "RCPT TO:<ada@example.com>",
        "\nSubject: Set a new password\n",
        "\nAuto-Submitted: auto-generated\n",
    ] {
        assert!(letter.contains(expected), "{expected:?} in {letter}");
    }
    let token = token(&letter);
    let reset = json!({ "token": token, "new_password": "another horse battery" });
    assert_eq!(ask(&server.url, "/api/auth/password/reset", reset).await, 204);
    assert!(mail.next().contains("Subject: Your password was changed"));
    let old = json!({ "email": "ada@example.com", "password": PASSWORD });
    assert_eq!(ask(&server.url, "/api/auth/login", old).await, 401);
    assert!(!place.log().contains(&token), "a token is in no log");
    let doctor = place.run(&["doctor"], "", &[]);
    assert!(doctor.output.contains("mail") && doctor.output.contains("answers"), "{}", doctor.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_survives_a_kill() {
    let (place, mail) = (Place::new(), MailServer::start(1));
    place.set(&mail.settings());
    let server = place.serve(&[]);
    Person::register(&server.url, "Ada").await;
    assert_eq!(ask(&server.url, "/api/auth/password/forgot", json!({ "email": "ada@example.com" })).await, 202);
    let held = mail.held.recv_timeout(PATIENCE).unwrap();
    server.kill();
    drop(held);
    let server = place.serve(&[]);
    let token = token(&mail.next());
    let reset = json!({ "token": token, "new_password": "another horse battery" });
    assert_eq!(ask(&server.url, "/api/auth/password/reset", reset).await, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_of_mail_letters_are_files() {
    let place = Place::new();
    place.set("[auth]\nverify_email = \"required\"\nmail_link = \"https://app.example.com/{purpose}#{token}\"\n");
    let server = place.serve(&[]);
    let register = json!({ "name": "Ada", "email": "ada@example.com", "password": PASSWORD });
    assert_eq!(ask(&server.url, "/api/auth/register", register).await, 202);
    let path = place.data_dir().join("mail/000001.eml");
    // The letter is written behind the answer: each further question gives it time.
    for _ in 0..10_000 {
        if path.exists() {
            break;
        }
        http().get(format!("{}/health", server.url)).send().await.unwrap();
    }
    let letter = std::fs::read_to_string(&path).unwrap();
    let link = letter
        .lines()
        .find_map(|line| line.trim().strip_prefix("https://app.example.com/verify#"))
        .unwrap_or_else(|| panic!("{letter}"));
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert!(place.log().contains("a letter was written to a file"), "{}", place.log());
    assert_eq!(ask(&server.url, "/api/auth/email/confirm", json!({ "token": link })).await, 204, "{letter}");
    Person::sign_in(&server.url, "Ada").await;
}
