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

    use super::*;

    #[test]
    fn the_work_decides_when_both_end() {
        let ran = Cell::new(false);
        let background = async { ran.set(true) };
        assert_eq!(futures::executor::block_on(alongside(background, async { std::future::ready(1).await })), 1);
        let never = std::future::pending();
        assert_eq!(futures::executor::block_on(alongside(never, async { 2 })), 2);
        let pause = async {
            futures::pending!();
            ran.get()
        };
        let background = async { ran.set(true) };
        ran.set(false);
        let waker = futures::task::noop_waker();
        let mut both = pin!(alongside(background, pause));
        let mut context = std::task::Context::from_waker(&waker);
        assert!(both.as_mut().poll(&mut context).is_pending(), "the end of the background ends nothing");
        assert_eq!(both.poll(&mut context), std::task::Poll::Ready(true));
    }
}
