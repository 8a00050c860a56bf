//! The virtual clock: a queue of sleepers, and a loop that polls one future and jumps when it is idle.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::moment::Moment;

#[derive(Default)]
pub(super) struct VirtualClock {
    now: Cell<Moment>,
    next_ticket: Cell<u64>,
    sleepers: RefCell<BTreeMap<(Moment, u64), Waker>>,
}

impl VirtualClock {
    pub(super) fn now(&self) -> Moment {
        self.now.get()
    }

    pub(super) fn run<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                return Some(value);
            }
            while !woken.0.swap(false, Ordering::AcqRel) {
                self.jump()?;
            }
        }
    }

    /// Moves on to the earliest sleeper and wakes it; `None` when nobody sleeps.
    fn jump(&self) -> Option<()> {
        let ((deadline, _), waker) = self.sleepers.borrow_mut().pop_first()?;
        self.now.set(self.now.get().max(deadline));
        waker.wake();
        Some(())
    }

    pub(super) fn sleeper(self: &Rc<Self>, deadline: Moment) -> Sleeper {
        let ticket = self.next_ticket.get();
        self.next_ticket.set(ticket + 1);
        Sleeper { clock: Rc::clone(self), place: (deadline, ticket) }
    }
}

pub(super) struct Sleeper {
    clock: Rc<VirtualClock>,
    place: (Moment, u64),
}

impl Sleeper {
    pub(super) fn poll(&mut self, context: &Context<'_>) -> Poll<()> {
        if self.clock.now() >= self.place.0 {
            return Poll::Ready(());
        }
        self.clock.sleepers.borrow_mut().insert(self.place, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.clock.sleepers.borrow_mut().remove(&self.place);
    }
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}
