package main

import (
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
			addr := s.ManagementAddr
			if addr == "" {
				addr = s.ListenAddr
			}
			host, port, err := net.SplitHostPort(addr)
			if err != nil {
				return err
			}
			if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
				host = "127.0.0.1"
			}
			request, err := http.NewRequestWithContext(cmd.Context(), http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
			if err != nil {
				return err
			}
			answer, err := (&http.Client{Timeout: 3 * time.Second}).Do(request)
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
