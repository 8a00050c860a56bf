# The static binary of a release on a small system with a shell for pipelines. Before the build, `dist` holds the release
# archives of the platforms:
#   docker build --tag dectl .
# Run it with a read-only root file system, as the owner of the files:
#   docker run --rm --read-only --user "$(id -u):$(id -g)" --volume "$PWD:/work:ro" --volume "$PWD/journal:/journal" \
#     --env WEBEX_ACCESS_TOKEN dectl apply sites --yes
FROM --platform=$BUILDPLATFORM alpine:3.22@sha256:365499d9dccb7c8cfaffef995a6c382e71174585e0556f6476ead1c5971c39fb AS files
ARG TARGETARCH
COPY dist/dectl-*-unknown-linux-musl.tar.gz /dist/
# Time zones for `--until`; the data is the same for all platforms.
RUN apk add --no-cache tzdata
RUN case "$TARGETARCH" in amd64) arch=x86_64 ;; arm64) arch=aarch64 ;; *) exit 1 ;; esac \
    && mkdir -p /files /journal && tar -xzf "/dist/dectl-$arch-unknown-linux-musl.tar.gz" -C /files

# Nothing runs on the target platform, so that no emulation is needed; the system has the certificates of Alpine.
FROM alpine:3.22@sha256:365499d9dccb7c8cfaffef995a6c382e71174585e0556f6476ead1c5971c39fb
COPY --from=files /files/dectl /usr/local/bin/dectl
COPY --from=files /usr/share/zoneinfo /usr/share/zoneinfo
COPY --from=files --chown=10001:10001 --chmod=700 /journal /journal
USER 10001
WORKDIR /work
ENV DECTL_JOURNAL=/journal
VOLUME /journal
ENTRYPOINT ["dectl"]
