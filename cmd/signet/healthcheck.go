package main

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

func newHealthcheckCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask the server of these settings whether it is ready",
		Long: `Ask /readyz of the server that runs with the same settings, on its management listener or,
where that is turned off, on the public one. Exit code 0: ready; 1: not. Made for containers,
which have no curl.`,
		Example: "  signet healthcheck",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.load(nil)
			if err != nil {
				return err
			}
			addr, scheme := s.ManagementAddr, "http"
			if addr == "" {
				addr = s.ListenAddr
				if s.servesTLS() {
					scheme = "https"
				}
			}
			host, port, err := net.SplitHostPort(addr)
			if err != nil {
				return err
			}
			if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
				host = "127.0.0.1"
			}
			request, err := http.NewRequestWithContext(cmd.Context(), http.MethodGet, scheme+"://"+net.JoinHostPort(host, port)+"/readyz", nil)
			if err != nil {
				return err
			}
			answer, err := healthClient().Do(request)
			if err != nil {
				return fail(exitFailed, "no server answers on %s", net.JoinHostPort(host, port))
			}
			defer answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				return fail(exitFailed, "not ready: /readyz answered %d", answer.StatusCode)
			}
			return nil
		},
	}
}

// healthClient asks this machine's own server by its address, which is in no certificate. It sends no secret, and believes nothing
// but a status.
func healthClient() *http.Client {
	return &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}}
}
