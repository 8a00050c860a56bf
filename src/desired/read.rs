//! Parses all sources, several files at a time.

use std::sync::{Mutex, PoisonError};

use super::load::{Input, SourceFormat};
use super::model::Desired;
use super::parse::{SourceInfo, parse_file};
use super::{csv, merge, yaml};
use crate::diagnostic::{Diagnostics, Sources};

/// Parses sources into one desired state, several YAML files at a time. All errors of all sources are added to
/// `diagnostics`.
pub fn read(inputs: Vec<Input>, sources: &mut Sources, diagnostics: &mut Diagnostics) -> Desired {
    let inputs: Vec<SourceInfo> = inputs
        .into_iter()
        .map(|Input { name, text, format, base_dir }| SourceInfo { source: sources.add(name, text), format, base_dir })
        .collect();
    // CSV files add the layout of their columns to the sources.
    let tables: Vec<_> = inputs
        .iter()
        .map(|input| match input.format {
            SourceFormat::Yaml => None,
            SourceFormat::Csv => csv::parse(input.source, sources, diagnostics),
        })
        .collect();
    let work: Vec<_> = inputs.iter().zip(tables).collect();
    let files = map_in_parallel(work, |(input, table)| {
        let mut diagnostics = Diagnostics::new();
        let tree = match input.format {
            SourceFormat::Yaml => yaml::parse(input.source, sources, &mut diagnostics),
            SourceFormat::Csv => table,
        };
        let file = tree.map(|tree| parse_file(&tree, input, sources, &mut diagnostics));
        (file, diagnostics)
    });
    let files = files.into_iter().filter_map(|(file, of_file)| {
        diagnostics.extend(of_file);
        file
    });
    let files = files.collect();
    merge::merge(files, diagnostics)
}

/// Maps items in their order, on as many threads as the machine has cores.
fn map_in_parallel<T: Send, R: Send>(items: Vec<T>, map: impl Fn(T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(items.len());
    if threads < 2 {
        return items.into_iter().map(map).collect();
    }
    let queue = Mutex::new(items.into_iter().enumerate());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let worker = || std::iter::from_fn(|| next().map(|(at, item)| (at, map(item)))).collect::<Vec<_>>();
    let mut results: Vec<(usize, R)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}
