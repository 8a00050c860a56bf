//! The HTML plan in a real browser, where there is one: the filter filters, and nothing in a name runs.

use std::path::PathBuf;
use std::process::Command;

use crate::harness::{TestEnv, copy_example, skipped};

fn browser() -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    std::env::split_paths(&paths).flat_map(|dir| names.map(|name| dir.join(name))).find(|path| path.is_file())
}

#[test]
fn the_filter_shows_what_matches_and_nothing_else() {
    let Some(browser) = browser() else {
        skipped("there is no Chromium on the PATH");
        return;
    };
    let env = TestEnv::new();
    copy_example(&env);
    let page = env.run(&["plan", "networks.yaml", "-o", "html"]).stdout;
    // What a reader would do with the keyboard, and what the page then shows.
    let typed = "<script>addEventListener('load', function () {\
                 var text = document.getElementById('text'); text.value = 'KITCHEN';\
                 text.form.dispatchEvent(new Event('submit', { cancelable: true }));\
                 document.title = document.getElementById('shown').textContent + ', ' +\
                 document.querySelectorAll('section:not([hidden])').length + ' sections'; });</script></body>";
    env.write("page.html", &page.replace("</body>", typed));
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"])
        .args(["--disable-component-update", "--disable-sync", "--virtual-time-budget=2000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", env.dir.path().join("profile").display()))
        .arg(format!("file://{}", env.dir.path().join("page.html").display()))
        .output()
        .expect("the browser runs");
    let dom = String::from_utf8_lossy(&output.stdout);
    assert!(dom.contains("<title>1 network, 1 sections</title>"), "{}", &dom[..dom.len().min(600)]);
}
