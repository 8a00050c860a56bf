# A static binary on a small system with a shell for pipelines. Run it with a read-only root file system, as the owner of
# the files:
#   docker run --rm --read-only --user "$(id -u):$(id -g)" --volume "$PWD:/work:ro" --volume "$PWD/journal:/journal" \
#     --env WEBEX_ACCESS_TOKEN dectl apply sites --yes
FROM rust:1.95-alpine3.22 AS build
RUN apk add --no-cache musl-dev gcc make
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY src ./src
COPY docs/networks.schema.json ./docs/networks.schema.json
COPY benches ./benches
COPY tests ./tests
RUN cargo build --release --locked

FROM alpine:3.22
RUN apk add --no-cache ca-certificates && adduser -D -H -u 10001 dectl && install -d -o dectl -m 700 /journal
COPY --from=build /src/target/release/dectl /usr/local/bin/dectl
USER 10001
WORKDIR /work
ENV DECTL_JOURNAL=/journal
VOLUME /journal
ENTRYPOINT ["dectl"]
