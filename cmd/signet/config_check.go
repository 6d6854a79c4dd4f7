package main

import (
	"errors"
	"fmt"
	"net"
	"reflect"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/account"
)

// validate reports every problem at once, each in one line that names the setting.
func (s settings) validate() error {
	var problems []error
	var wrong interface{ Unwrap() []error }
	if err := s.provider(nil).Validate(); errors.As(err, &wrong) {
		for _, e := range wrong.Unwrap() {
			var p provider.Problem
			if errors.As(e, &p) {
				problems = append(problems, fmt.Errorf("%s %s", variableOf(p.Setting), p.Text))
			}
		}
	}
	if err := checkAddr(s.ListenAddr); err != nil {
		problems = append(problems, fmt.Errorf("SIGNET_LISTEN_ADDR %w", err))
	}
	if s.ManagementAddr != "" {
		if err := checkAddr(s.ManagementAddr); err != nil {
			problems = append(problems, fmt.Errorf("SIGNET_MANAGEMENT_ADDR %w", err))
		}
	}
	if s.ManagementAddr == s.ListenAddr {
		problems = append(problems, errors.New("SIGNET_MANAGEMENT_ADDR must differ from SIGNET_LISTEN_ADDR; empty puts the probes on the public listener"))
	}
	if err := s.checkTLS(); err != nil {
		problems = append(problems, err)
	}
	if _, err := s.outboundRoots(); err != nil {
		problems = append(problems, err)
	}
	if _, err := s.statementIssuers(); err != nil {
		problems = append(problems, err)
	}
	if d := s.ClientIDDocuments; d != "on" && d != "off" {
		problems = append(problems, errors.New("SIGNET_CLIENT_ID_DOCUMENTS must be off or on"))
	}
	if err := s.checkMail(); err != nil {
		problems = append(problems, err)
	}
	if _, err := account.ParseParams(s.PasswordHash); err != nil {
		problems = append(problems, fmt.Errorf("SIGNET_PASSWORD_HASH: %w", err))
	}
	if _, err := s.level(); err != nil {
		problems = append(problems, err)
	}
	if f := s.LogFormat; f != "" && f != "text" && f != "json" {
		problems = append(problems, errors.New("SIGNET_LOG_FORMAT must be text or json"))
	}
	if _, _, err := s.database(); err != nil {
		problems = append(problems, err)
	}
	if len(problems) > 0 {
		return fail(exitConfig, "%w", errors.Join(problems...))
	}
	return nil
}

// variableOf names a field of provider.Config as operators know it.
func variableOf(setting string) string {
	t := reflect.TypeFor[settings]()
	switch setting {
	case "Issuer":
		setting = "IssuerURL"
	case "Registration.Mode":
		setting = "ClientRegistration"
	case "Registration.PKCE":
		setting = "ClientRegistrationPKCE"
	case "Developers.Policy":
		setting = "Developers"
	case "Developers.Apps":
		setting = "DeveloperApps"
	case "Documents.Allow":
		setting = "ClientIDDocumentAllow"
	case "Documents.Deny":
		setting = "ClientIDDocumentDeny"
	}
	if f, ok := t.FieldByName(setting); ok {
		return f.Tag.Get("env")
	}
	return setting
}

func checkAddr(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil || port == "" {
		return errors.New("must be host:port, such as 127.0.0.1:8080 or :8080")
	}
	return nil
}
