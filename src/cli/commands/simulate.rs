//! `dectl simulate`: serves a simulated organization on loopback.

use std::sync::{Arc, Mutex};

use dectl::simulator::http::Server;
use dectl::simulator::{Misbehaviour, Simulated, TOKEN};
use dectl::time::Stop;

use crate::cli::args::Simulate;
use crate::cli::exit::{Exit, Failed};
use crate::cli::printer::Printer;
use crate::cli::setup::simulated_state;

pub(super) async fn run(flags: &Simulate, printer: &Printer, stop: Stop) -> Result<Exit, Failed> {
    let state = simulated_state(flags.state.as_deref())?;
    let networks = state.len();
    let simulated = Simulated::new(state, Misbehaviour::default());
    let server = Server::bind(Arc::new(Mutex::new(simulated)), flags.port)
        .await
        .map_err(|error| Failed::of(format!("port {} cannot be had: {error}", flags.port)))?;
    printer.result(&format!(
        "Serving a simulated organization with {networks} DECT networks. Stop it with Ctrl-C.\n\n\
         export WEBEX_API_URL={}\n\
         export WEBEX_ACCESS_TOKEN={TOKEN}\n",
        server.base()
    ));
    tokio::select! {
        served = server.serve() => match served {
            Ok(()) => Ok(Exit::Done),
            Err(error) => Err(Failed::of(format!("the simulated organization cannot go on: {error}"))),
        },
        _ = stop.asked() => Ok(Exit::Done),
    }
}
