package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/web"
)

// The limits of a connection: a slow or silent peer does not hold one for long.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	writeTimeout      = 15 * time.Second
	idleTimeout       = 60 * time.Second
	maxHeaderBytes    = 16 << 10
	drainTimeout      = 30 * time.Second
)

func newServeCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the identity provider",
		Long: `Run the identity provider until SIGTERM or SIGINT. Then /readyz answers 503, requests in
flight finish (30 seconds at most), and the process ends with exit code 0. A second
signal ends it at once.`,
		Example: "  signet serve\n  SIGNET_ISSUER_URL=https://id.example.com SIGNET_LISTEN_ADDR=:8080 signet serve\n  signet serve --config /etc/signet.yaml --log-level debug",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.load(cmd.Flags())
			if err != nil {
				return err
			}
			return a.serve(cmd.Context(), s, nil)
		},
	}
	settingsFlags(cmd.Flags())
	return cmd
}

// serve runs the provider until ctx ends. started, where given, is called once the listeners are open.
func (a *app) serve(ctx context.Context, s settings, started func(*opened)) error {
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), account.Procs(runtime.NumCPU())))
	logger := a.logger(s)
	a.warnOfUnknown(ctx, s, logger)
	traces, err := a.openTracing(ctx, logger)
	if err != nil {
		return err
	}
	defer traces.close(ctx, logger)
	a.traces = traces
	metrics := web.NewMetrics(version())
	o, err := a.openWith(ctx, s, logger, metrics)
	if err != nil {
		return err
	}
	defer o.Close()
	metrics.WatchQueue(o.People().Waiting)
	metrics.WatchRefusals(o.RefusalsDropped)
	n, err := newNode(o, logger, metrics, traces)
	if err != nil {
		return err
	}
	if err := n.listen(ctx); err != nil {
		return err
	}
	if err := greet(ctx, o, logger); err != nil {
		return err
	}
	if err := a.welcome(ctx, o); err != nil {
		return err
	}
	if started != nil {
		go started(o)
	}
	return n.run(ctx)
}

// greet says where the server is, and what is weak about it.
func greet(ctx context.Context, o *opened, logger *slog.Logger) error {
	logger.InfoContext(ctx, "serving", slog.String("issuer", o.settings.IssuerURL), slog.String("listen", o.settings.ListenAddr),
		slog.String("management", o.settings.ManagementAddr), slog.String("version", version()))
	return warnOfPasswordClients(ctx, o, logger)
}

// warnOfPasswordClients names the clients that people hand their passwords to (RFC 9700 §2.4), at most a page of them.
func warnOfPasswordClients(ctx context.Context, o *opened, logger *slog.Logger) error {
	clients, err := o.store.ListClients(ctx, "", 1000)
	if err != nil {
		return err
	}
	var ids []string
	for _, c := range clients {
		if slices.Contains(c.Metadata.GrantTypes, oauth.GrantPassword) && len(ids) < 20 {
			ids = append(ids, c.ID)
		}
	}
	if len(ids) > 0 {
		logger.WarnContext(ctx, "clients with the password grant see their users' passwords: keep them few, and your own", slog.Any("client_ids", ids))
	}
	return nil
}

// warnOfUnknown names the SIGNET_ variables that mean nothing to this version: a misspelt setting should not be silent.
func (a *app) warnOfUnknown(ctx context.Context, s settings, logger *slog.Logger) {
	known := map[string]bool{}
	for _, f := range s.fields() {
		known[f.variable], known[f.variable+"_FILE"] = true, true
	}
	for _, pair := range a.environ() {
		name, _, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, "SIGNET_") || known[name] || strings.HasPrefix(name, "SIGNET_CLIENT_") ||
			strings.HasPrefix(name, "SIGNET_TEST_") || strings.HasPrefix(name, "SIGNET_SERVICE_") || strings.HasPrefix(name, "SIGNET_PORT") {
			continue
		}
		logger.WarnContext(ctx, "this environment variable is no setting of this version and does nothing", slog.String("variable", name))
	}
}

// node is the listeners of one process.
type node struct {
	o        *opened
	logger   *slog.Logger
	probes   *web.Probes
	cert     *certificate // nil: a proxy speaks TLS
	servers  []*http.Server
	listener []net.Listener
}

func newNode(o *opened, logger *slog.Logger, metrics *web.Metrics, traces *tracing) (*node, error) {
	n := &node{o: o, logger: logger, probes: web.NewProbes(o.Ready, logger)}
	options := web.Options{
		Provider: o.Provider, Logger: logger, Secure: strings.HasPrefix(o.settings.IssuerURL, "https:"),
		TrustedProxies: o.settings.TrustedProxies, Metrics: metrics,
	}
	if o.settings.ManagementAddr == "" {
		options.Probes = n.probes
	} else {
		n.servers = append(n.servers, newServer(o.settings.ManagementAddr, n.probes.Handler(metrics), logger))
	}
	if traces != nil {
		options.Traces = traces.provider
	}
	public, err := web.New(options)
	if err != nil {
		return nil, err
	}
	server := newServer(o.settings.ListenAddr, public, logger)
	if o.settings.servesTLS() {
		if n.cert, err = openCertificate(o.settings, logger); err != nil {
			return nil, err
		}
		server.TLSConfig = n.cert.config()
	}
	n.servers = append(n.servers, server)
	return n, nil
}

func newServer(addr string, handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Addr: addr, Handler: handler,
		ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		HTTP2:          &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
}

// listen opens all listeners before anything is served, so that a taken port stops the start.
func (n *node) listen(ctx context.Context) error {
	for _, s := range n.servers {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Addr)
		if err != nil {
			for _, open := range n.listener {
				_ = open.Close()
			}
			return fail(exitFailed, "cannot listen on %s: %w", s.Addr, errors.Unwrap(err))
		}
		n.listener = append(n.listener, l)
	}
	return nil
}

// run serves until ctx ends, then drains.
func (n *node) run(ctx context.Context) error {
	upkeep, stop := context.WithCancel(context.WithoutCancel(ctx))
	var background sync.WaitGroup
	background.Go(func() { n.o.Run(upkeep) })
	if n.cert != nil {
		asked, giveBack := onHangup()
		defer giveBack()
		background.Go(func() { n.cert.watch(upkeep, asked) })
	}
	defer func() {
		stop()
		background.Wait()
	}()
	failed := make(chan error, len(n.servers))
	for i, s := range n.servers {
		go func() { failed <- serveOn(s, n.listener[i]) }()
	}
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	return n.drain(context.WithoutCancel(ctx))
}

// serveOn serves TLS where the server has a certificate.
func serveOn(s *http.Server, l net.Listener) error {
	if s.TLSConfig != nil {
		return s.ServeTLS(l, "", "")
	}
	return s.Serve(l)
}

// drain refuses new work and lets the requests in flight finish. The management listener closes last: who watches sees it.
func (n *node) drain(ctx context.Context) error {
	n.probes.Drain()
	n.logger.InfoContext(ctx, "draining: requests in flight finish; a second signal ends at once")
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	for i := len(n.servers) - 1; i >= 0; i-- {
		if err := n.servers[i].Shutdown(ctx); err != nil {
			_ = n.servers[i].Close()
			n.logger.WarnContext(ctx, "requests were cut off", slog.Any("error", err))
		}
	}
	return nil
}

func dirOf(file string) string { return filepath.Dir(file) }
