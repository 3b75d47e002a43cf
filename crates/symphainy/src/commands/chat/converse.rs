//! The conversation itself: one loop that hears the server, the person and Ctrl-C. What an event looks like stands in `render.rs`.

use std::{
    collections::VecDeque,
    io::{self, IsTerminal},
    time::Duration,
};

use contract::{
    AgentId, ConversationId, ExecutionId, MessageId,
    agent::AgentList,
    artifact::ArtifactPage,
    conversation::{Conversation, ConversationPage},
};
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{
    input::Input,
    orders::{HELP, Line, agrees},
    parse, render,
    render::Screen,
};
use crate::{
    SystemClock,
    client::{
        Api,
        socket::{AgentSocket, Closed, Heard},
    },
    exit::{Complaint, Exit},
    output::show,
    paint::Paint,
};

/// How often a lost connection is tried to be made again, and the waits before; they double.
const MAX_RECONNECTIONS: u32 = 10;
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Messages that were typed during an answer and wait for its end.
const MAX_QUEUED: usize = 16;

/// How somebody talks to us.
pub(super) enum Manner {
    /// A person at a terminal.
    Conversation,
    /// A script: one message a line, each answered before the next is read.
    Lines,
    OneMessage(String),
}

/// A chat under way.
pub(super) struct Chat {
    api: Api,
    socket: AgentSocket,
    screen: Screen,
    paint: Paint,
    input: Option<Input>,
    interrupts: Signal,
    is_interactive: bool,
    /// Whether what is said has to be shown, because no terminal echoes it.
    echoes: bool,
    conversation_id: ConversationId,
    /// The `seq` of the last event that was shown.
    cursor: u64,
    /// Whom the next message asks for.
    agent: Option<AgentId>,
    turn: Option<Turn>,
    /// The approval that waits for a word.
    deciding: Option<String>,
    queued: VecDeque<String>,
    interrupted: bool,
    last_failed: bool,
}

/// A message that was sent and is being answered.
struct Turn {
    message_id: MessageId,
    frame: serde_json::Value,
    execution_id: Option<ExecutionId>,
}

/// Whether the chat goes on.
enum Next {
    Goes,
    Ends,
}

/// What happened.
enum Happened {
    Heard(Result<Heard, Closed>),
    Typed(Option<String>),
    Interrupted,
}

impl Chat {
    pub(super) async fn open(mut api: Api, manner: Manner, agent: Option<AgentId>) -> Result<Self, Complaint> {
        let socket = AgentSocket::connect(&mut api).await?;
        let interrupts = signal(SignalKind::interrupt())
            .map_err(|error| Complaint::internal(format!("Ctrl-C cannot be heard ({error}).")))?;
        let paint = Paint::of(&io::stdout());
        let at_terminal = io::stdin().is_terminal();
        let is_interactive = matches!(manner, Manner::Conversation);
        let echoes = matches!(manner, Manner::Lines);
        let (queued, input) = match manner {
            Manner::OneMessage(message) => (VecDeque::from([message]), at_terminal.then(Input::open).transpose()?),
            Manner::Conversation | Manner::Lines => (VecDeque::new(), Some(Input::open()?)),
        };
        Ok(Self {
            screen: Screen::new(paint, io::stdout().is_terminal()),
            conversation_id: new_conversation(),
            is_interactive,
            echoes,
            api,
            socket,
            paint,
            input,
            interrupts,
            cursor: 0,
            agent,
            turn: None,
            deciding: None,
            queued,
            interrupted: false,
            last_failed: false,
        })
    }

    pub(super) async fn run(mut self, resume: Option<ConversationId>) -> Result<Exit, Complaint> {
        let one_message = !self.queued.is_empty();
        self.greet();
        if let Some(conversation_id) = resume {
            self.resume(conversation_id).await?;
        }
        loop {
            if self.turn.is_none() && self.deciding.is_none() {
                match self.queued.pop_front() {
                    Some(message) => self.say(&message).await,
                    None if one_message => break,
                    None => self.prompt(),
                }
            }
            let next = match self.happens().await {
                Happened::Heard(Ok(heard)) => self.hear(&heard).await?,
                Happened::Heard(Err(closed)) => self.reconnect(closed).await?,
                Happened::Typed(Some(line)) => self.obey(&line).await?,
                Happened::Typed(None) => self.input_ended(),
                Happened::Interrupted => self.interrupt().await,
            };
            if matches!(next, Next::Ends) {
                break;
            }
        }
        self.socket.close().await;
        if self.is_interactive {
            show(&self.screen.note(&format!("go on with it: symphainy chat --resume {}", self.conversation_id)));
        }
        Ok(if one_message && self.last_failed { Exit::Failed } else { Exit::Success })
    }

    async fn happens(&mut self) -> Happened {
        let is_idle = self.turn.is_none() || self.deciding.is_some();
        let listens = self.is_interactive || is_idle;
        let typed = async {
            match &mut self.input {
                Some(input) if listens => input.next().await,
                Some(_) | None => std::future::pending().await,
            }
        };
        tokio::select! {
            heard = self.socket.next() => Happened::Heard(heard),
            line = typed => Happened::Typed(line),
            _ = self.interrupts.recv() => Happened::Interrupted,
        }
    }

    fn greet(&mut self) {
        if !self.is_interactive {
            return;
        }
        let who = self.api.email().unwrap_or("nobody in particular: this session is anonymous").to_owned();
        show(
            &self.screen.line(&format!("Connected to {} as {who}. /help shows what can be typed.", self.api.server())),
        );
    }

    fn prompt(&mut self) {
        if self.is_interactive {
            show(&self.screen.prompt());
        }
    }

    /// What came from a pipe stands beside what it brought about.
    fn echo(&mut self, line: &str) {
        if self.echoes && self.deciding.is_some() {
            show(&format!("{line}\n"));
        } else if self.echoes && !line.trim().is_empty() {
            show(&self.screen.line(&format!("{} {line}", self.paint.bold("›"))));
        }
    }

    async fn say(&mut self, text: &str) {
        let message_id = MessageId::from_random(SystemClock.random());
        let frame = json!({
            "type": "agent.message",
            "id": message_id,
            "payload": { "text": text, "agent_id": self.agent.take(), "context": { "conversation_id": self.conversation_id } },
        });
        self.screen.user_spoke();
        self.socket.send(&frame).await;
        self.turn = Some(Turn { message_id, frame, execution_id: None });
    }

    async fn hear(&mut self, heard: &Heard) -> Result<Next, Complaint> {
        if heard.frame_type == "error" {
            show(&self.screen.trouble(heard.error.as_deref().unwrap_or("The server refused it.")));
            let is_ours = |turn: &Turn| heard.reply_to.as_deref() == Some(turn.message_id.as_str());
            if self.turn.as_ref().is_some_and(is_ours) {
                self.turn = None;
                self.last_failed = true;
            }
            return Ok(Next::Goes);
        }
        if heard.event_type == "auth.expiring" {
            let access_token = self.api.refresh().await?;
            self.socket.send(&json!({ "type": "auth.refresh", "access_token": access_token })).await;
            return Ok(Next::Goes);
        }
        if let Some(seq) = heard.seq {
            self.cursor = self.cursor.max(seq);
        }
        show(&self.screen.event(heard));
        match heard.event_type.as_str() {
            "execution.accepted" | "agent.started" => self.recognise(heard),
            "approval.pending" => return Ok(self.asked(heard)),
            "approval.decided" | "approval.expired" if self.deciding.as_deref() == Some(heard.text("hook_id")) => {
                self.deciding = None;
            }
            "execution.completed" | "execution.failed" | "execution.cancelled" => self.ended(heard),
            _ => {}
        }
        Ok(Next::Goes)
    }

    /// Finds out which execution answers our message.
    fn recognise(&mut self, heard: &Heard) {
        let Some(turn) = &mut self.turn else { return };
        let message_id = heard.data["message"]["id"].as_str().unwrap_or_else(|| heard.text("reply_to"));
        if turn.execution_id.is_none() && message_id == turn.message_id.as_str() {
            turn.execution_id.clone_from(&heard.execution_id);
        }
    }

    fn ended(&mut self, heard: &Heard) {
        let is_ours = |turn: &Turn| turn.execution_id.is_some() && turn.execution_id == heard.execution_id;
        if self.turn.as_ref().is_some_and(is_ours) {
            self.turn = None;
            self.interrupted = false;
            self.last_failed = heard.event_type != "execution.completed";
        }
    }

    /// Somebody is asked. A script without a next line cannot answer; the question stays open.
    fn asked(&mut self, heard: &Heard) -> Next {
        if self.input.is_none() {
            show(&self.screen.note(&format!("answer it with: symphainy chat --resume {}", self.conversation_id)));
            self.last_failed = true;
            return Next::Ends;
        }
        self.deciding = Some(heard.text("hook_id").to_owned());
        Next::Goes
    }

    async fn obey(&mut self, line: &str) -> Result<Next, Complaint> {
        self.interrupted = false;
        self.echo(line);
        if let Some(hook_id) = self.deciding.clone() {
            return Ok(self.decide(&hook_id, line).await);
        }
        self.screen.user_spoke();
        match Line::read(line) {
            Line::Nothing => {}
            Line::Message(message) if self.turn.is_none() => self.say(&message).await,
            Line::Message(message) if self.queued.len() < MAX_QUEUED => {
                self.queued.push_back(message);
                show(&self.screen.note("it is sent when this answer has ended"));
            }
            Line::Message(_) => {
                show(&self.screen.trouble("Too much waits already. Wait for the answer, or stop it with /cancel."))
            }
            Line::Help => show(&self.screen.line(HELP)),
            Line::Quit => return Ok(Next::Ends),
            Line::Cancel => self.cancel().await,
            Line::New => self.begin_anew(),
            Line::Unknown(sentence) => show(&self.screen.trouble(&sentence)),
            order @ (Line::Files | Line::Upload(_) | Line::Agent(_) | Line::Resume(_)) => {
                // An order that fails ends no chat.
                if let Err(complaint) = self.look_up(order).await {
                    show(&self.screen.trouble(&complaint.sentence));
                }
            }
        }
        Ok(Next::Goes)
    }

    async fn decide(&mut self, hook_id: &str, line: &str) -> Next {
        match (Line::read(line), agrees(line)) {
            (Line::Quit, _) => return Next::Ends,
            (Line::Cancel, _) => self.cancel().await,
            (_, None) => show("  Please answer y or n: "),
            (_, Some(approved)) => {
                self.deciding = None;
                self.screen.user_spoke();
                self.socket
                    .send(&json!({ "type": "approval.respond", "hook_id": hook_id, "approved": approved }))
                    .await;
            }
        }
        Next::Goes
    }

    async fn look_up(&mut self, order: Line) -> Result<(), Complaint> {
        match order {
            Line::Files => {
                let body = json!({ "artifact_type": "file" });
                let page: ArtifactPage = self.api.post("/api/artifact/list", &body).await?;
                self.list(
                    page.artifacts.iter().map(render::file_line).collect(),
                    "There are no files yet. /upload PATH brings one.",
                );
            }
            Line::Upload(path) => {
                let file = self.api.upload(&path).await?;
                show(&self.screen.line(&render::uploaded(&file)));
            }
            Line::Agent(Some(id)) => {
                self.agent = Some(parse(&id, "agent")?);
                show(&self.screen.note(&format!("the next message asks for {id}")));
            }
            Line::Agent(None) => {
                let list: AgentList = self.api.get("/api/agents").await?;
                let agents =
                    list.agents.iter().map(|agent| format!("{:<20} {}", agent.agent_id.as_str(), agent.description));
                self.list(agents.collect(), "There are no agents.");
            }
            Line::Resume(Some(id)) => self.resume(parse(&id, "conversation")?).await?,
            Line::Resume(None) => {
                let page: ConversationPage = self.api.get("/api/conversations").await?;
                let held = page.conversations.iter().map(|held| format!("{}  {}", held.conversation_id, held.title));
                self.list(held.collect(), "There are no conversations yet.");
            }
            Line::Nothing
            | Line::Message(_)
            | Line::Help
            | Line::New
            | Line::Cancel
            | Line::Quit
            | Line::Unknown(_) => {}
        }
        Ok(())
    }

    fn list(&mut self, lines: Vec<String>, nothing: &str) {
        if lines.is_empty() {
            show(&self.screen.line(nothing));
        }
        for line in lines {
            show(&self.screen.line(&format!("  {}", crate::paint::tame(&line))));
        }
    }

    fn begin_anew(&mut self) {
        self.conversation_id = new_conversation();
        self.cursor = 0;
        self.turn = None;
        show(&self.screen.note("a new conversation"));
    }

    /// Takes an earlier conversation up, at its end; an anonymous session has all of it told again.
    async fn resume(&mut self, conversation_id: ConversationId) -> Result<(), Complaint> {
        self.cursor = 0;
        if self.api.email().is_some() {
            let path = format!("/api/conversations/{conversation_id}?limit=20");
            let conversation: Conversation = self.api.get(&path).await?;
            show(&self.screen.line(render::messages(&conversation, self.paint).trim_end()));
            self.cursor = self.look_back(&conversation);
        }
        self.conversation_id = conversation_id;
        self.turn = None;
        self.send_resume().await;
        Ok(())
    }

    /// Where to go on from: what was asked and is not answered yet is told from its beginning.
    fn look_back(&self, conversation: &Conversation) -> u64 {
        match conversation.messages.last() {
            Some(message) if message.role == contract::conversation::Role::User => message.seq,
            Some(_) | None => conversation.summary.cursor,
        }
    }

    async fn send_resume(&mut self) {
        let frame = json!({ "type": "agent.resume", "conversation_id": self.conversation_id, "after": self.cursor });
        self.socket.send(&frame).await;
    }

    async fn cancel(&mut self) {
        match self.turn.as_ref().and_then(|turn| turn.execution_id.clone()) {
            Some(execution_id) => {
                self.socket.send(&json!({ "type": "agent.cancel", "execution_id": execution_id })).await
            }
            None => show(&self.screen.note("nothing is being answered")),
        }
    }

    async fn interrupt(&mut self) -> Next {
        if self.interrupted {
            return Next::Ends;
        }
        self.interrupted = true;
        self.deciding = None;
        if self.turn.is_some() {
            self.cancel().await;
        } else if self.is_interactive {
            show(&self.screen.note("once more, or /quit, ends the chat"));
        } else {
            return Next::Ends;
        }
        Next::Goes
    }

    /// No more lines come. What was said before is still answered.
    fn input_ended(&mut self) -> Next {
        self.input = None;
        if self.deciding.take().is_some() {
            show(&self.screen.note(&format!("answer it with: symphainy chat --resume {}", self.conversation_id)));
            return Next::Ends;
        }
        if self.turn.is_none() { Next::Ends } else { Next::Goes }
    }

    /// Makes a lost connection again and goes on from the last event that was shown.
    async fn reconnect(&mut self, closed: Closed) -> Result<Next, Complaint> {
        if !closed.may_pass() {
            return Err(Complaint::unavailable(format!("The server ended the conversation: {}.", closed.reason)));
        }
        show(&self.screen.note("the connection was lost; making it again"));
        let mut wait = FIRST_WAIT;
        for _ in 0..MAX_RECONNECTIONS {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = self.interrupts.recv() => return Ok(Next::Ends),
            }
            wait = (wait * 2).min(LONGEST_WAIT);
            match AgentSocket::connect(&mut self.api).await {
                Ok(socket) => {
                    self.socket = socket;
                    self.go_on().await;
                    return Ok(Next::Goes);
                }
                Err(error) if error.is_final() => return Err(error.into()),
                Err(_) => {}
            }
        }
        Err(Complaint::unavailable(format!(
            "The server at {} does not come back. What was said is kept: symphainy chat --resume {}",
            self.api.server(),
            self.conversation_id
        )))
    }

    async fn go_on(&mut self) {
        if self.cursor > 0 {
            self.send_resume().await;
        }
        // A message is sent with its id, so that sending it again is safe.
        if let Some(turn) = self.turn.as_ref().filter(|turn| turn.execution_id.is_none()) {
            let frame = turn.frame.clone();
            self.socket.send(&frame).await;
        }
    }
}

fn new_conversation() -> ConversationId {
    ConversationId::from_parts(SystemClock.now(), SystemClock.random())
}
