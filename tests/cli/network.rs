//! The way to the API: certificates, proxies, names that do not resolve, IPv6. All of it on loopback.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc;

use rcgen::{CertificateParams, KeyPair};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::harness::{Ended, TestEnv, copy_example, skipped};

/// Runs a server on a thread of its own, until the test process ends.
fn serve<F: Future<Output = ()> + Send + 'static>(
    listen_on: IpAddr,
    serve: impl FnOnce(TcpListener) -> F + Send + 'static,
) -> Option<u16> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            let listener = TcpListener::bind((listen_on, 0)).await;
            let port = listener.as_ref().ok().and_then(|listener| Some(listener.local_addr().ok()?.port()));
            send.send(port).expect("the test waits");
            if let Ok(listener) = listener {
                serve(listener).await;
            }
        });
    });
    receive.recv().expect("the server starts")
}

/// TLS in front of a stage's organization, for these names; its port, and the certificate in a file of the stage.
fn tls(env: &TestEnv, listen_on: IpAddr, names: &[&str]) -> Option<u16> {
    let key = KeyPair::generate().expect("a key");
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let certificate = CertificateParams::new(names).expect("names").self_signed(&key).expect("a certificate");
    env.write("ca.pem", &certificate.pem());
    let chain = vec![certificate.der().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a certificate");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let behind = env.address();
    serve(listen_on, move |listener| async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut front) = acceptor.accept(stream).await else { return };
                let mut back = TcpStream::connect(behind).await.expect("the organization listens");
                let _closed = copy_bidirectional(&mut front, &mut back).await;
            });
        }
    })
}

fn plan(env: &TestEnv, base: &str, flags: &[&str]) -> Ended {
    let arguments = [&["plan", "networks.yaml", "-q", "--max-attempts", "1", "--api-url", base], flags].concat();
    env.command(&arguments).env_remove("WEBEX_API_URL").env_remove("HTTPS_PROXY").output().expect("it runs").into()
}

#[test]
fn a_certificate_is_trusted_once_it_is_named() {
    let env = TestEnv::new();
    copy_example(&env);
    let port = tls(&env, Ipv4Addr::LOCALHOST.into(), &["localhost"]).expect("a port");
    let base = format!("https://localhost:{port}/v1");
    let ended = plan(&env, &base, &[]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("certificate"), "{}", ended.stderr);
    assert_eq!(env.counters().requests, 0);
    let ended = plan(&env, &base, &["--ca-file", "ca.pem"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    // The certificate is for another name.
    let ended = plan(&env, &format!("https://127.0.0.1:{port}/v1"), &["--ca-file", "ca.pem"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("certificate"), "{}", ended.stderr);
    env.write("empty.pem", "no certificate\n");
    for (file, words) in [("empty.pem", "certificate"), ("nowhere.pem", "cannot read the CA certificates")] {
        let ended = plan(&env, &base, &["--ca-file", file]);
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.contains(words), "{file}: {}", ended.stderr);
    }
}

#[test]
fn ipv6_is_an_address_like_every_other() {
    let env = TestEnv::new();
    copy_example(&env);
    let Some(port) = tls(&env, Ipv6Addr::LOCALHOST.into(), &["::1"]) else {
        skipped("this machine has no IPv6 loopback");
        return;
    };
    let ended = plan(&env, &format!("https://[::1]:{port}/v1"), &["--ca-file", "ca.pem"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn the_proxy_of_the_system_is_used_and_sees_no_token() {
    let env = TestEnv::new();
    copy_example(&env);
    let front = tls(&env, Ipv4Addr::LOCALHOST.into(), &["webex.test"]).expect("a port");
    let (send, asked) = mpsc::channel();
    let proxy = serve(Ipv4Addr::LOCALHOST.into(), move |listener| async move {
        while let Ok((stream, _)) = listener.accept().await {
            let send = send.clone();
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                let mut head = String::new();
                while stream.read_line(&mut head).await.is_ok_and(|length| length > 2) {}
                send.send(head).expect("the test waits");
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.expect("the client listens");
                let mut back = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, front))).await.expect("TLS");
                let _closed = copy_bidirectional(&mut stream, &mut back).await;
            });
        }
    });
    let proxy = format!("http://127.0.0.1:{}", proxy.expect("a port"));
    let ended: Ended = env
        .command(&["apply", "networks.yaml", "--yes", "--ca-file", "ca.pem", "--api-url", "https://webex.test/v1"])
        .env("HTTPS_PROXY", proxy)
        .output()
        .expect("it runs")
        .into();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let heads: Vec<String> = asked.try_iter().collect();
    assert!(heads[0].starts_with("CONNECT webex.test:443 "), "{heads:?}");
    assert!(heads.iter().all(|head| !head.contains("simulated-token")), "{heads:?}");
    // Connections are used again: eleven requests need no eleven of them.
    assert!(heads.len() <= 8, "{}", heads.len());
}

#[test]
fn connection_refused_names_what_to_check() {
    let env = TestEnv::new();
    copy_example(&env);
    let unused =
        std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port").local_addr().expect("an address").port();
    for base in [format!("https://127.0.0.1:{unused}/v1"), "https://nowhere.invalid/v1".to_owned()] {
        let ended = plan(&env, &base, &["--connect-timeout", "5s"]);
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.contains("check the connection, the proxy and the API address"), "{}", ended.stderr);
        assert!(!ended.stderr.contains("simulated-token"));
    }
}

#[test]
fn timeout_ends_request_without_response() {
    let env = TestEnv::new();
    copy_example(&env);
    env.set_faults(dectl::simulator::FaultConfig { no_response: 1.0, ..dectl::simulator::FaultConfig::default() });
    let ended = env.run(&["plan", "networks.yaml", "--max-attempts", "1", "--list-timeout", "200ms"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("request timed out"), "{}", ended.stderr);
}
