//! Work with something that runs next to it.

use std::pin::pin;

use futures::future::{Either, select};

/// Drives `background` next to `work`, which alone decides when both end and what the result is.
pub async fn alongside<T>(background: impl Future<Output = ()>, work: impl Future<Output = T>) -> T {
    match select(pin!(work), pin!(background)).await {
        Either::Left((result, _)) => result,
        Either::Right(((), work)) => work.await,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn the_work_decides_when_both_end() {
        assert_eq!(futures::executor::block_on(alongside(std::future::pending(), async { 1 })), 1);

        let (sender, receiver) = futures::channel::oneshot::channel();
        let ran = Cell::new(false);
        let mut both = pin!(alongside(async { ran.set(true) }, receiver));
        let mut context = Context::from_waker(Waker::noop());
        assert!(both.as_mut().poll(&mut context).is_pending(), "the end of the background ends nothing");
        assert!(ran.get());
        sender.send(2).expect("the work waits");
        assert_eq!(both.poll(&mut context), Poll::Ready(Ok(2)));
    }
}
