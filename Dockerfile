# syntax=docker/dockerfile:1
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o /out/signet ./cmd/signet
RUN mkdir /data

# Nothing but the program, the roots of the Internet's certificates, and a folder for those who choose SQLite.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build --chown=65532:65532 /data /data
COPY --from=build /out/signet /usr/local/bin/signet
ENV PATH=/usr/local/bin
ENV SIGNET_LISTEN_ADDR=0.0.0.0:8080
ENV SIGNET_MANAGEMENT_ADDR=0.0.0.0:9000
USER 65532:65532
WORKDIR /data
EXPOSE 8080 9000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["signet", "healthcheck"]
ENTRYPOINT ["signet"]
CMD ["serve"]
