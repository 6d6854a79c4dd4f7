package main

import (
	"fmt"
	"os"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/register"
)

// registration is the part of the settings that says who may register clients by protocol.
func (s settings) registration() provider.Registration {
	issuers, err := s.statementIssuers()
	if err != nil {
		issuers = nil // validate has refused it
	}
	return provider.Registration{Mode: register.Mode(s.ClientRegistration), PKCE: register.PKCE(s.ClientRegistrationPKCE), Statements: issuers}
}

// statementIssuers are those of SIGNET_SOFTWARE_STATEMENT_ISSUERS_FILE; nil where that is not set.
func (s settings) statementIssuers() ([]client.StatementIssuer, error) {
	if s.SoftwareStatementIssuersFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(s.SoftwareStatementIssuersFile)
	if err != nil {
		return nil, fmt.Errorf("SIGNET_SOFTWARE_STATEMENT_ISSUERS_FILE: the file cannot be read: %w", err)
	}
	issuers, err := client.ParseStatementIssuers(text)
	if err != nil {
		return nil, fmt.Errorf("SIGNET_SOFTWARE_STATEMENT_ISSUERS_FILE: %s %w", s.SoftwareStatementIssuersFile, err)
	}
	return issuers, nil
}
