//! `dectl simulate`: serves simulated organizations on loopback.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dectl::record::{Existing, write_private};
use dectl::simulator::http::{Served, Server};
use dectl::simulator::{Locks, Misbehaviour, Scenario, Simulated, State};
use dectl::time::Stop;

use crate::cli::args::Simulate;
use crate::cli::exit::{Exit, Failed};
use crate::cli::printer::Printer;
use crate::cli::setup::simulated_state;

/// How often the state is looked at for changes that are to be kept.
const BETWEEN_SAVES: Duration = Duration::from_millis(200);

pub(super) async fn run(flags: &Simulate, printer: &Printer, stop: Stop) -> Result<Exit, Failed> {
    let misbehaviour = scenario(flags)?.misbehaviour().map_err(Failed::of)?;
    let state = match flags.save.as_deref().filter(|path| flags.state.is_none() && path.exists()) {
        // What was kept last time goes on.
        Some(kept) => simulated_state(Some(kept))?,
        None => simulated_state(flags.state.as_deref())?,
    };
    let networks = state.len();
    let simulated = served(state, &misbehaviour, flags);
    let mut others = BTreeMap::new();
    for (id, state) in &flags.organizations {
        others.insert(id.clone(), served(simulated_state(Some(state))?, &misbehaviour, flags));
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
    tokio::select! {
        served = server.serve() => match served {
            Ok(()) => Ok(Exit::Done),
            Err(error) => Err(Failed::of(format!("the simulated organization cannot go on: {error}"))),
        },
        failed = keep(flags.save.as_deref(), &simulated) => Err(failed),
        _ = stop.asked() => match &flags.save {
            Some(path) => save(path, &simulated).map(|()| Exit::Done),
            None => Ok(Exit::Done),
        },
    }
}

fn served(state: State, misbehaviour: &Misbehaviour, flags: &Simulate) -> Served {
    let mut simulated = Simulated::new(state, misbehaviour.clone());
    simulated.set_token(flags.accept_token.as_str());
    Arc::new(Mutex::new(simulated))
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

/// Keeps the state whenever it has changed; ends only when that fails.
async fn keep(path: Option<&Path>, simulated: &Served) -> Failed {
    let Some(path) = path else { return std::future::pending().await };
    let mut kept = None;
    loop {
        let changes = simulated.lock().unwrap_or_else(PoisonError::into_inner).changes();
        if kept != Some(changes) {
            if let Err(failed) = save(path, simulated) {
                return failed;
            }
            kept = Some(changes);
        }
        tokio::time::sleep(BETWEEN_SAVES).await;
    }
}

fn save(path: &Path, simulated: &Served) -> Result<(), Failed> {
    let list = simulated.lock().unwrap_or_else(PoisonError::into_inner).state().to_list();
    write_private(path, list.as_bytes(), Existing::Replaced)
        .map_err(|error| Failed::of(format!("the state cannot be kept in {}: {error}", path.display())))
}
