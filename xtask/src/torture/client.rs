//! One client of the torture: a user with an account, who does a seeded mix of everything, asks again whatever was not answered, and
//! remembers every acknowledgement.

use std::{collections::HashMap, sync::Arc, time::Duration};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use super::{
    http::{Answer, Connection, Lost, Request},
    known::{Asked, Known},
    talk::Talk,
    world::{Stand, World},
};

/// How long to wait before something is asked again that was answered with "not now".
const NOT_NOW: Duration = Duration::from_millis(5);

/// How many executions are begun for each other thing that is done.
const SUBMISSIONS: std::ops::Range<u32> = 4..16;

/// How many acknowledged executions wait to be looked at before the oldest are.
const MAX_UNSEEN: usize = 40;

pub(super) const PASSWORD: &str = "correct horse battery";

pub(super) struct Client {
    pub(super) world: Arc<World>,
    pub(super) chance: StdRng,
    number: u64,
    pub(super) connection: Connection,
    /// For what is asked twice at the same time.
    pub(super) second: Connection,
    pub(super) account: Account,
    tickets: u64,
    /// What was asked for under each ticket, acknowledged or not.
    pub(super) issued: HashMap<u64, Issued>,
    pub(super) known: Vec<Known>,
    /// Of `known`, those before this were looked at after their end.
    unseen: usize,
    pub(super) talks: Vec<Talk>,
    /// Artifacts that have to be there, with their bytes.
    pub(super) artifacts: HashMap<String, Vec<u8>>,
    /// How many files were taken in.
    pub(super) uploads: u64,
    /// Approvals by their ids, with the status that was acknowledged, where one was.
    pub(super) approvals: HashMap<String, Option<String>>,
}

#[derive(Default)]
pub(super) struct Account {
    pub(super) email: String,
    pub(super) access_token: String,
    pub(super) refresh_token: String,
    pub(super) session_id: String,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Issued {
    pub(super) asked: Asked,
    /// Whether it was acknowledged, or will be asked for until it is.
    pub(super) is_certain: bool,
}

impl Client {
    pub(super) fn new(world: Arc<World>, seed: u64, number: u64) -> Self {
        let address = world.address;
        Self {
            world,
            chance: StdRng::seed_from_u64(seed ^ (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            number,
            connection: Connection::new(address),
            second: Connection::new(address),
            account: Account { email: format!("client{number}@example.com"), ..Account::default() },
            tickets: 0,
            issued: HashMap::new(),
            known: Vec::new(),
            unseen: 0,
            talks: Vec::new(),
            artifacts: HashMap::new(),
            uploads: 0,
            approvals: HashMap::new(),
        }
    }

    /// Does one thing after the other until the server is no longer killed.
    pub(super) async fn live(mut self) -> Self {
        self.register().await;
        while self.world.stand() != Stand::Settling && !self.is_over() {
            for _ in 0..self.chance.random_range(SUBMISSIONS) {
                self.submit_something().await;
            }
            match self.chance.random_range(0..100) {
                0..12 => self.cancel_something().await,
                12..26 => self.approve_something().await,
                26..40 => self.refresh().await,
                40..52 => self.upload_something().await,
                52..62 => self.claim_something().await,
                62..90 => self.say_something().await,
                _ => self.look_back().await,
            }
            while self.unseen + MAX_UNSEEN < self.known.len() && !self.is_over() {
                self.look_at(self.unseen).await;
                self.unseen += 1;
            }
        }
        self
    }

    /// Does each thing once or twice.
    pub(super) async fn do_a_little(&mut self) {
        self.register().await;
        for _ in 0..2 {
            self.submit_each().await;
            self.upload_something().await;
            self.cancel_something().await;
            self.say_something().await;
            self.refresh().await;
        }
        self.approve_something().await;
        self.claim_something().await;
    }

    /// Looks at everything once more, to the end.
    pub(super) async fn settle(&mut self) {
        for index in 0..self.known.len() {
            if self.is_over() {
                return;
            }
            self.look_at_all_of(index).await;
        }
        self.settle_talks().await;
        self.look_at_lists().await;
        if !self.world.is_failing {
            self.end_a_family().await;
        }
    }

    /// Looks at some of it again, after one more start.
    pub(super) async fn look_again(&mut self) {
        for _ in 0..self.known.len().min(20) {
            self.look_back().await;
        }
        self.settle_talks().await;
        self.look_at_lists().await;
    }

    async fn look_back(&mut self) {
        if !self.known.is_empty() {
            let index = self.chance.random_range(0..self.known.len());
            self.look_at(index).await;
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.world.stand() == Stand::Over
    }

    /// The executions that were asked for without a ticket: the turns, and what takes files in.
    pub(super) fn others(&self) -> u64 {
        let turns: u64 = self.talks.iter().map(Talk::turns).sum();
        turns + self.uploads
    }

    pub(super) fn name(&self) -> u64 {
        self.number
    }

    /// A number that no other request has.
    pub(super) fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.number << 32 | self.tickets
    }

    pub(super) fn flips(&mut self, one_in: u32) -> bool {
        self.chance.random_range(0..one_in) == 0
    }

    pub(super) fn authorized(&self, request: Request) -> Request {
        request.bearer(&self.account.access_token)
    }

    /// Asks until it is answered, over as many starts as it takes. Only for what may be asked twice.
    pub(super) async fn insist(&mut self, request: &Request) -> Answer {
        insist(&self.world, &mut self.connection, request).await
    }

    /// The same with the caller's token.
    pub(super) async fn insist_authorized(&mut self, request: Request) -> Answer {
        let request = self.authorized(request);
        self.insist(&request).await
    }

    /// Asks once.
    pub(super) async fn ask(&mut self, request: &Request) -> Result<Answer, Lost> {
        self.connection.ask(request).await
    }

    /// Asks the same on both connections at the same time, each until it is answered.
    pub(super) async fn insist_twice(&mut self, one: &Request, other: &Request) -> (Answer, Answer) {
        tokio::join!(insist(&self.world, &mut self.connection, one), insist(&self.world, &mut self.second, other),)
    }

    /// An answer that is no success is a promise that is not kept: nothing of what is asked here is wrong.
    pub(super) fn must(&self, what: &'static str, answer: &Answer) -> bool {
        let holds = (200..300).contains(&answer.status) || self.is_over();
        self.world.check(what, holds, || format!("{} {}", answer.status, answer.text()))
    }
}

async fn insist(world: &World, connection: &mut Connection, request: &Request) -> Answer {
    loop {
        match connection.ask(request).await {
            Ok(answer) if world.is_not_now(answer.status) => tokio::time::sleep(NOT_NOW).await,
            Ok(answer) => return answer,
            Err(lost) => world.lost(lost, request.path()).await,
        }
        if world.stand() == Stand::Over {
            return Answer { status: 0, body: Vec::new(), is_whole: false };
        }
    }
}

/// The body of a submission.
pub(super) fn body(intent_type: &str, session_id: &str, ticket: u64, asked: Asked) -> Value {
    let mut parameters = json!({"ticket": ticket});
    for (name, number) in [("steps", asked.steps), ("children", asked.children), ("failures", asked.failures as usize)]
    {
        if number > 0 {
            parameters[name] = json!(number);
        }
    }
    for (name, wanted) in [("hold", asked.hold), ("keep", asked.keep)] {
        if wanted {
            parameters[name] = json!(true);
        }
    }
    json!({"intent_type": intent_type, "session_id": session_id, "parameters": parameters})
}
