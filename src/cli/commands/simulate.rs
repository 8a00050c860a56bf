//! `dectl simulate`: serves simulated organizations on loopback.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dectl::record::{Existing, write_private};
use dectl::runtime::Shutdown;
use dectl::simulator::http::{Served, Server, ServerClock};
use dectl::simulator::{Kept, Locks, Scenario, Simulated};

use crate::cli::args::Simulate;
use crate::cli::exit::{Exit, Failed};
use crate::cli::printer::Printer;
use crate::cli::setup::simulated_organizations;

/// How often the state is looked at.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

pub(super) async fn run(flags: &Simulate, printer: &Printer, shutdown: Shutdown) -> Result<Exit, Failed> {
    let misbehaviour = scenario(flags)?.misbehaviour().map_err(Failed::of)?;
    let Kept { first, others } = organizations(flags)?;
    let networks = first.len();
    let mut first = Simulated::new(first, misbehaviour.clone());
    // All of them know the tokens of the first.
    first.set_token(flags.accept_token.as_str());
    let served = |simulated: Simulated| -> Served { Arc::new(Mutex::new(simulated)) };
    let others: BTreeMap<String, Served> = others
        .into_iter()
        .map(|(id, state)| (id.clone(), served(Simulated::new(state, misbehaviour.clone()).called(id))))
        .collect();
    let first = served(first);
    let server = Server::bind_several(first.clone(), others.clone(), flags.port)
        .await
        .map_err(|error| Failed::of(format!("port {} cannot be had: {error}", flags.port)))?;
    let mut keeping = Keeping { path: flags.save.as_deref(), first, others, clock: server.clock(), kept: None };
    keeping.look()?;
    printer.result(&format!(
        "Serving a simulated organization with {networks} DECT networks. Stop it with Ctrl-C.\n\n\
         export WEBEX_API_URL={}\n\
         export WEBEX_ACCESS_TOKEN={}\n",
        server.base(),
        // A shell takes a tilde for somebody's home.
        if flags.accept_token.contains('~') { format!("'{}'", flags.accept_token) } else { flags.accept_token.clone() }
    ));
    let ended = tokio::select! {
        served = server.serve() => match served {
            Ok(()) => Ok(Exit::Done),
            Err(error) => Err(Failed::of(format!("the simulated organization cannot go on: {error}"))),
        },
        failed = keeping.now_and_then() => Err(failed),
        _ = shutdown.requested() => Ok(Exit::Done),
    };
    keeping.catch_up();
    let kept = keeping.keep();
    ended.and_then(|exit| kept.map(|()| exit))
}

/// The organizations to begin with: what was kept last time goes on, and nothing that is there is lost.
fn organizations(flags: &Simulate) -> Result<Kept, Failed> {
    let mut kept = match (&flags.state, flags.save.as_deref().filter(|path| path.exists())) {
        (None, Some(kept)) => simulated_organizations(Some(kept))?,
        (Some(_), Some(kept)) => {
            return Err(Failed::of(format!(
                "{} is there already and would be replaced: leave out STATE to go on from it, or delete it",
                kept.display()
            )));
        }
        (state, None) => simulated_organizations(state.as_deref())?,
    };
    for (id, state) in &flags.organizations {
        let Kept { first, others } = simulated_organizations(Some(state))?;
        if !others.is_empty() {
            let words = "has several organizations: it can be STATE or --save, but not one of them";
            return Err(Failed::of(format!("{} {words}", state.display())));
        }
        if kept.others.insert(id.clone(), first).is_some() {
            let words = "is there already, from a kept file or another --organization: leave this one out";
            return Err(Failed::of(format!("an organization with the id {id:?} {words}")));
        }
    }
    Ok(kept)
}

fn scenario(flags: &Simulate) -> Result<Scenario, Failed> {
    let said = Scenario {
        seed: flags.seed,
        latency: flags.latency,
        limit: flags.limit,
        locks: Locks {
            probability: flags.locks,
            time: flags.lock_time,
            says_when: flags.silent_locks.then_some(false),
        },
        faults: flags.fault.iter().copied().collect(),
        token_life: flags.token_life,
        edits_at: flags.edit_at.clone(),
        quirks: flags.quirk.clone(),
        ..Scenario::default()
    };
    let Some(path) = &flags.scenario else { return Ok(said) };
    let failed = |reason: String| Failed::of(format!("the scenario {}: {reason}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| failed(format!("it cannot be read: {error}")))?;
    Ok(Scenario::parse(&text).map_err(failed)?.overruled_by(said))
}

/// Keeps the state of organizations in a file.
struct Keeping<'a> {
    path: Option<&'a Path>,
    first: Served,
    others: BTreeMap<String, Served>,
    clock: ServerClock,
    /// After how many changes it was kept last.
    kept: Option<u64>,
}

impl Keeping<'_> {
    /// Looks again and again; ends only when something cannot be kept.
    async fn now_and_then(&mut self) -> Failed {
        loop {
            if let Err(failed) = self.look() {
                return failed;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    /// Carries out what was put off, also if nobody asks any more; how many changes there have been in all.
    fn catch_up(&self) -> u64 {
        let caught_up = |served: &Served| {
            let mut simulated = lock(served);
            simulated.catch_up(self.clock.now());
            simulated.changes()
        };
        std::iter::once(&self.first).chain(self.others.values()).map(caught_up).sum()
    }

    /// Keeps the state if it has changed.
    fn look(&mut self) -> Result<(), Failed> {
        let changes = self.catch_up();
        if self.kept == Some(changes) {
            return Ok(());
        }
        self.keep()?;
        self.kept = Some(changes);
        Ok(())
    }

    /// Keeps the state as it is.
    fn keep(&self) -> Result<(), Failed> {
        let Some(path) = self.path else { return Ok(()) };
        let first = lock(&self.first);
        let others: Vec<_> = self.others.iter().map(|(id, other)| (id.as_str(), lock(other))).collect();
        let text = Kept::text(first.state(), others.iter().map(|(id, other)| (*id, other.state())));
        drop((first, others));
        write_private(path, text.as_bytes(), Existing::Replaced)
            .map_err(|error| Failed::of(format!("the state cannot be kept in {}: {error}", path.display())))
    }
}

fn lock(served: &Served) -> MutexGuard<'_, Simulated> {
    served.lock().unwrap_or_else(PoisonError::into_inner)
}
