//! The virtual clock: a queue of timers, and a loop that polls one future and advances time when it is idle.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::instant::Instant;

#[derive(Default)]
pub(super) struct VirtualClock {
    now: Cell<Instant>,
    next_ticket: Cell<u64>,
    timers: RefCell<BTreeMap<(Instant, u64), Waker>>,
}

impl VirtualClock {
    pub(super) fn now(&self) -> Instant {
        self.now.get()
    }

    pub(super) fn block_on<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let woken = Arc::new(WakeFlag::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                return Some(value);
            }
            while !woken.0.swap(false, Ordering::AcqRel) {
                self.advance_to_next_timer()?;
            }
        }
    }

    /// Advances to the earliest timer and wakes it; `None` if there is none.
    fn advance_to_next_timer(&self) -> Option<()> {
        let ((deadline, _), waker) = self.timers.borrow_mut().pop_first()?;
        self.now.set(self.now.get().max(deadline));
        waker.wake();
        Some(())
    }

    pub(super) fn timer(self: &Rc<Self>, deadline: Instant) -> Timer {
        let ticket = self.next_ticket.get();
        self.next_ticket.set(ticket + 1);
        Timer { clock: Rc::clone(self), place: (deadline, ticket) }
    }
}

pub(super) struct Timer {
    clock: Rc<VirtualClock>,
    place: (Instant, u64),
}

impl Timer {
    pub(super) fn poll(&mut self, context: &Context<'_>) -> Poll<()> {
        if self.clock.now() >= self.place.0 {
            return Poll::Ready(());
        }
        self.clock.timers.borrow_mut().insert(self.place, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.clock.timers.borrow_mut().remove(&self.place);
    }
}

#[derive(Default)]
struct WakeFlag(AtomicBool);

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}
