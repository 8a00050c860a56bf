//! `dectl simulate`: serves simulated organizations on loopback.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dectl::record::{Existing, write_private};
use dectl::simulator::http::{Served, Server, ServerClock};
use dectl::simulator::{Locks, Scenario, Simulated, State};
use dectl::time::Stop;

use crate::cli::args::Simulate;
use crate::cli::exit::{Exit, Failed};
use crate::cli::printer::Printer;
use crate::cli::setup::simulated_state;

/// How often the state is looked at.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

pub(super) async fn run(flags: &Simulate, printer: &Printer, stop: Stop) -> Result<Exit, Failed> {
    let misbehaviour = scenario(flags)?.misbehaviour().map_err(Failed::of)?;
    let served = |simulated: Simulated| -> Served {
        let mut simulated = simulated;
        simulated.set_token(flags.accept_token.as_str());
        Arc::new(Mutex::new(simulated))
    };
    let state = first_state(flags)?;
    let networks = state.len();
    let simulated = served(Simulated::new(state, misbehaviour.clone()));
    let mut others = BTreeMap::new();
    for (id, state) in &flags.organizations {
        let other = Simulated::new(simulated_state(Some(state))?, misbehaviour.clone()).called(id);
        others.insert(id.clone(), served(other));
    }
    let server = Server::bind_several(simulated.clone(), others, flags.port)
        .await
        .map_err(|error| Failed::of(format!("port {} cannot be had: {error}", flags.port)))?;
    printer.result(&format!(
        "Serving a simulated organization with {networks} DECT networks. Stop it with Ctrl-C.\n\n\
         export WEBEX_API_URL={}\n\
         export WEBEX_ACCESS_TOKEN={}\n",
        server.base(),
        flags.accept_token
    ));
    let mut keeping = Keeping { path: flags.save.as_deref(), simulated: &simulated, clock: server.clock(), kept: None };
    let ended = tokio::select! {
        served = server.serve() => match served {
            Ok(()) => Ok(Exit::Done),
            Err(error) => Err(Failed::of(format!("the simulated organization cannot go on: {error}"))),
        },
        failed = keeping.now_and_then() => Err(failed),
        _ = stop.asked() => Ok(Exit::Done),
    };
    keeping.look()?;
    ended
}

/// The state to begin with: what was kept last time goes on, and nothing that is there is lost.
fn first_state(flags: &Simulate) -> Result<State, Failed> {
    match (&flags.state, flags.save.as_deref().filter(|path| path.exists())) {
        (None, Some(kept)) => simulated_state(Some(kept)),
        (Some(_), Some(kept)) => Err(Failed::of(format!(
            "{} is there already and would be replaced: leave out STATE to go on from it, or delete it",
            kept.display()
        ))),
        (state, None) => simulated_state(state.as_deref()),
    }
}

fn scenario(flags: &Simulate) -> Result<Scenario, Failed> {
    let said = Scenario {
        seed: flags.seed,
        latency: flags.latency,
        limit: flags.limit,
        locks: flags.locks.map(|probability| Locks {
            probability,
            time: flags.lock_time,
            says_when: flags.silent_locks.then_some(false),
        }),
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

/// Keeps the state of an organization in a file.
struct Keeping<'a> {
    path: Option<&'a Path>,
    simulated: &'a Served,
    clock: ServerClock,
    /// At which of its changes it was kept last.
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

    /// Keeps the state if it has changed. What was put off is carried out first, also if nobody asks any more.
    fn look(&mut self) -> Result<(), Failed> {
        let mut simulated = self.simulated.lock().unwrap_or_else(PoisonError::into_inner);
        simulated.catch_up(self.clock.now());
        let changes = simulated.changes();
        let Some(path) = self.path.filter(|_| self.kept != Some(changes)) else { return Ok(()) };
        let list = simulated.state().to_list();
        drop(simulated);
        write_private(path, list.as_bytes(), Existing::Replaced)
            .map_err(|error| Failed::of(format!("the state cannot be kept in {}: {error}", path.display())))?;
        self.kept = Some(changes);
        Ok(())
    }
}
