package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/spf13/pflag"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/developer"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/postgres"
	"github.com/signet-idp/signet/web/pages"
)

// settings are what an operator sets (docs/contract.md). The YAML name is the variable's without SIGNET_, in lower case; the
// flag of serve is the same with dashes. Secrets have no flag: a command line is read by everybody on the machine.
type settings struct {
	IssuerURL      string `env:"SIGNET_ISSUER_URL" yaml:"issuer_url" help:"the issuer, byte for byte as clients compare it; https unless the host is a loopback one"`
	ListenAddr     string `env:"SIGNET_LISTEN_ADDR" yaml:"listen_addr" help:"public listener, host:port"`
	ManagementAddr string `env:"SIGNET_MANAGEMENT_ADDR" yaml:"management_addr" help:"listener of /healthz and /readyz; empty: the probes are on the public listener"`

	DatabaseURL string `env:"SIGNET_DATABASE_URL" yaml:"database_url" secret:"true" help:"sqlite://PATH, sqlite:///ABS/PATH or postgres://…"`
	SecretKey   string `env:"SIGNET_SECRET_KEY" yaml:"secret_key" secret:"true" help:"base64 of 32 random bytes; several, comma separated, newest first, while rotating"`

	TLSCertFile string `env:"SIGNET_TLS_CERT_FILE" yaml:"tls_cert_file" help:"PEM file with the server's certificate and its chain; without it a proxy speaks TLS"`
	TLSKeyFile  string `env:"SIGNET_TLS_KEY_FILE" yaml:"tls_key_file" help:"PEM file with the certificate's private key, which nobody else may read"`

	TrustedProxies cidrs `env:"SIGNET_TRUSTED_PROXIES" yaml:"trusted_proxies" help:"CIDRs, comma separated, whose X-Forwarded-For is believed"`

	AccessTokenLifetime      duration `env:"SIGNET_ACCESS_TOKEN_LIFETIME" yaml:"access_token_lifetime" help:"such as 15m"`
	RefreshTokenIdleLifetime duration `env:"SIGNET_REFRESH_TOKEN_IDLE_LIFETIME" yaml:"refresh_token_idle_lifetime" help:"such as 30d"`
	RefreshTokenLifetime     duration `env:"SIGNET_REFRESH_TOKEN_LIFETIME" yaml:"refresh_token_lifetime" help:"such as 365d"`
	RefreshRotation          string   `env:"SIGNET_REFRESH_ROTATION" yaml:"refresh_rotation" help:"strict, balanced or static; empty: by kind of client"`
	RefreshGrace             duration `env:"SIGNET_REFRESH_GRACE" yaml:"refresh_grace" help:"how long a lost answer may be asked for again"`

	KeyRotationInterval duration `env:"SIGNET_KEY_ROTATION_INTERVAL" yaml:"key_rotation_interval" help:"how long a signing key signs before the next one does, such as 90d; 0: until somebody rotates"`

	SigningAlg        string   `env:"SIGNET_SIGNING_ALG" yaml:"signing_alg" help:"of access tokens: RS256, PS256, ES256, ES384 or EdDSA"`
	PasswordHash      string   `env:"SIGNET_PASSWORD_HASH" yaml:"password_hash" help:"argon2id parameters, such as m=19456,t=2,p=1"`
	PasswordMinLength number   `env:"SIGNET_PASSWORD_MIN_LENGTH" yaml:"password_min_length" help:"of new passwords, in characters; NIST SP 800-63B-4 advises 15 where a password is all that is asked"`
	PasswordMinScore  number   `env:"SIGNET_PASSWORD_MIN_SCORE" yaml:"password_min_score" help:"zxcvbn score, 0 to 4, of the passwords that people choose; 0: any"`
	SecondFactor      string   `env:"SIGNET_SECOND_FACTOR" yaml:"second_factor" help:"who must have one: optional, admins or all"`
	SignUp            string   `env:"SIGNET_SIGN_UP" yaml:"sign_up" help:"who may make an account for themselves: off, on (whoever proves an e-mail address) or invite"`
	FactorRecovery    delay    `env:"SIGNET_SECOND_FACTOR_RECOVERY" yaml:"second_factor_recovery" help:"how long who lost every second factor waits to be rid of them, such as 72h; off: an administrator must help"`
	AuditRetention    duration `env:"SIGNET_AUDIT_RETENTION" yaml:"audit_retention" help:"how long audit events are kept"`

	SessionIdleLifetime duration `env:"SIGNET_SESSION_IDLE_LIFETIME" yaml:"session_idle_lifetime" help:"how long a browser stays signed in unused, such as 24h"`
	SessionLifetime     duration `env:"SIGNET_SESSION_LIFETIME" yaml:"session_lifetime" help:"how long a browser stays signed in at most, such as 30d"`

	OutboundAllow  networks `env:"SIGNET_OUTBOUND_ALLOW" yaml:"outbound_allow" help:"CIDRs, comma separated and each with :PORT if wanted, outside the public Internet that requests to applications may reach"`
	OutboundCAFile string   `env:"SIGNET_OUTBOUND_CA_FILE" yaml:"outbound_ca_file" help:"PEM file with authorities that requests to applications trust besides the system's"`

	SMTPURL  string `env:"SIGNET_SMTP_URL" yaml:"smtp_url" secret:"true" help:"mail server: smtp://USER:PASSWORD@HOST:PORT with STARTTLS, or smtps://; empty: mail goes to the log"`
	MailFrom string `env:"SIGNET_MAIL_FROM" yaml:"mail_from" help:"sender of mails, such as 'Example Accounts <no-reply@example.com>'"`

	ClientRegistration           string `env:"SIGNET_CLIENT_REGISTRATION" yaml:"client_registration" help:"who may register applications by protocol: off, token (who has a registration token) or open"`
	ClientRegistrationPKCE       string `env:"SIGNET_CLIENT_REGISTRATION_PKCE" yaml:"client_registration_pkce" help:"which of the applications that register themselves must use PKCE: required (all) or public (those without a secret or key)"`
	SoftwareStatementIssuersFile string `env:"SIGNET_SOFTWARE_STATEMENT_ISSUERS_FILE" yaml:"software_statement_issuers_file" help:"JSON file with the publishers whose software statements are believed, and their keys"`

	ClientIDDocuments     string `env:"SIGNET_CLIENT_ID_DOCUMENTS" yaml:"client_id_documents" help:"whether an application may have the address of its description as its client_id: off or on"`
	ClientIDDocumentAllow hosts  `env:"SIGNET_CLIENT_ID_DOCUMENT_ALLOW" yaml:"client_id_document_allow" help:"hosts, comma separated, such as app.example.com or *.example.com, whose descriptions alone are read; empty: all"`
	ClientIDDocumentDeny  hosts  `env:"SIGNET_CLIENT_ID_DOCUMENT_DENY" yaml:"client_id_document_deny" help:"hosts, comma separated, whose descriptions are not read"`

	Developers    string `env:"SIGNET_DEVELOPERS" yaml:"developers" help:"who may have applications of their own at /developer: off, admins, approval (everybody, and an administrator lets each application in) or on"`
	DeveloperApps number `env:"SIGNET_DEVELOPER_APPS" yaml:"developer_apps" help:"how many applications one person may have"`

	LogLevel  string `env:"SIGNET_LOG_LEVEL" yaml:"log_level" help:"debug, info, warn or error"`
	LogFormat string `env:"SIGNET_LOG_FORMAT" yaml:"log_format" help:"text or json; empty: text on a terminal, else json"`
}

func defaultSettings() settings {
	return settings{
		IssuerURL: "http://localhost:8080", ListenAddr: "127.0.0.1:8080", ManagementAddr: "127.0.0.1:9000",
		DatabaseURL:         "sqlite://signet.db",
		AccessTokenLifetime: duration(15 * minute), RefreshTokenIdleLifetime: duration(30 * day), RefreshTokenLifetime: duration(365 * day),
		RefreshGrace: duration(30 * second), KeyRotationInterval: duration(90 * day), SigningAlg: "ES256", PasswordHash: "m=19456,t=2,p=1",
		PasswordMinLength: account.DefaultMinPassword, PasswordMinScore: account.DefaultMinScore, SecondFactor: "optional", SignUp: "off",
		AuditRetention: duration(400 * day), SessionIdleLifetime: duration(day), SessionLifetime: duration(30 * day), LogLevel: "info",
		ClientRegistration: "token", ClientRegistrationPKCE: "required", Developers: "admins", DeveloperApps: developer.DefaultApps, ClientIDDocuments: "off",
	}
}

// field is one setting by its three names.
type field struct {
	variable, key, flag, help string
	secret                    bool
	value                     reflect.Value
}

// fields lists the settings of s in their order.
func (s *settings) fields() []field {
	v := reflect.ValueOf(s).Elem()
	var all []field
	for i := range v.NumField() {
		t := v.Type().Field(i)
		key := t.Tag.Get("yaml")
		all = append(all, field{
			variable: t.Tag.Get("env"), key: key, flag: strings.ReplaceAll(key, "_", "-"), help: t.Tag.Get("help"),
			secret: t.Tag.Get("secret") != "", value: v.Field(i),
		})
	}
	return all
}

// settingsFlags adds a flag for every setting that is no secret.
func settingsFlags(flags *pflag.FlagSet) {
	s := defaultSettings()
	for _, f := range s.fields() {
		if !f.secret {
			flags.String(f.flag, "", fmt.Sprintf("%s (%s)", f.help, f.variable))
		}
	}
}

// load reads the settings: defaults, then the YAML file, then the environment, then flags. The error has exit code 3 and names
// each setting with its fault.
func (a *app) load(flags *pflag.FlagSet) (settings, error) {
	s := defaultSettings()
	if a.configFile != "" {
		if err := s.readFile(a.configFile); err != nil {
			return settings{}, err
		}
	}
	environment, err := a.environment(s.fields())
	if err != nil {
		return settings{}, err
	}
	if err := env.ParseWithOptions(&s, env.Options{Environment: environment}); err != nil {
		return settings{}, envProblems(err)
	}
	if addr, given := environment["SIGNET_MANAGEMENT_ADDR"]; given { // the library takes an empty variable for an absent one
		s.ManagementAddr = addr
	}
	if err := s.readFlags(flags); err != nil {
		return settings{}, err
	}
	return s, s.validate()
}

// environment is the process's, with NAME_FILE read into NAME, and DATABASE_URL standing in for SIGNET_DATABASE_URL.
func (a *app) environment(fields []field) (map[string]string, error) {
	vars := map[string]string{}
	for _, pair := range a.environ() {
		if name, value, ok := strings.Cut(pair, "="); ok && value != "" {
			vars[name] = value
		}
	}
	for _, name := range []string{"DATABASE_URL", "SIGNET_DATABASE_URL", "SIGNET_SECRET_KEY", "SIGNET_SMTP_URL"} {
		file := vars[name+"_FILE"]
		if file == "" {
			continue
		}
		if vars[name] != "" {
			return nil, fail(exitConfig, "%s and %s_FILE are both set: set one of them", name, name)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fail(exitConfig, "%s_FILE: the file cannot be read: %w", name, err)
		}
		vars[name] = strings.TrimRight(string(text), "\r\n")
	}
	if vars["SIGNET_DATABASE_URL"] == "" && vars["DATABASE_URL"] != "" {
		vars["SIGNET_DATABASE_URL"] = vars["DATABASE_URL"]
	}
	known := map[string]string{}
	for _, f := range fields {
		if value, set := vars[f.variable]; set {
			known[f.variable] = value
		}
	}
	// Empty is a value of its own here: it turns the management listener off.
	for _, pair := range a.environ() {
		if pair == "SIGNET_MANAGEMENT_ADDR=" {
			known["SIGNET_MANAGEMENT_ADDR"] = ""
		}
	}
	return known, nil
}

// envProblems says which variable, without the library's words around it. The value is not shown: it may be a secret.
func envProblems(err error) error {
	var all env.AggregateError
	if !errors.As(err, &all) {
		return fail(exitConfig, "environment: %w", err)
	}
	var problems []error
	s := settings{}
	for _, e := range all.Errors {
		var parse env.ParseError
		if !errors.As(e, &parse) {
			problems = append(problems, e)
			continue
		}
		name := parse.Name
		for i, f := range s.fields() {
			if reflect.TypeOf(s).Field(i).Name == parse.Name {
				name = f.variable
			}
		}
		problems = append(problems, fmt.Errorf("%s %w", name, parse.Err))
	}
	return fail(exitConfig, "%w", errors.Join(problems...))
}

func (s *settings) readFlags(flags *pflag.FlagSet) error {
	if flags == nil {
		return nil
	}
	for _, f := range s.fields() {
		flag := flags.Lookup(f.flag)
		if f.secret || flag == nil || !flag.Changed {
			continue
		}
		if text, ok := f.value.Addr().Interface().(interface{ UnmarshalText([]byte) error }); ok {
			if err := text.UnmarshalText([]byte(flag.Value.String())); err != nil {
				return fail(exitConfig, "--%s %w", f.flag, err)
			}
			continue
		}
		f.value.SetString(flag.Value.String())
	}
	return nil
}

// The engines.
const (
	engineSQLite   = "sqlite"
	enginePostgres = "postgres"
)

// database splits the database URL into an engine and where its data is: a path, or the URL itself.
func (s settings) database() (engine, where string, err error) {
	scheme, rest, _ := strings.Cut(s.DatabaseURL, "://")
	switch scheme {
	case "sqlite":
		path, query, _ := strings.Cut(rest, "?")
		if path == "" || query != "" {
			return "", "", errors.New("SIGNET_DATABASE_URL must name a file: sqlite://PATH or sqlite:///ABSOLUTE/PATH, without parameters")
		}
		return engineSQLite, path, nil
	case "postgres", "postgresql":
		if err := postgres.CheckURL(s.DatabaseURL); err != nil {
			return "", "", fmt.Errorf("SIGNET_DATABASE_URL must read postgres://USER:PASSWORD@HOST:PORT/DATABASE: %w", err)
		}
		return enginePostgres, s.DatabaseURL, nil
	}
	return "", "", errors.New("SIGNET_DATABASE_URL must begin with sqlite:// or postgres://")
}

// provider is the part of the settings that the protocol goes by.
func (s settings) provider(logger *slog.Logger) provider.Config {
	hash, err := account.ParseParams(s.PasswordHash)
	if err != nil {
		hash = account.Params{} // validate has refused it
	}
	roots, err := s.outboundRoots()
	if err != nil {
		roots = x509.NewCertPool() // likewise; no authority rather than others
	}
	config := provider.Config{
		Issuer:              s.IssuerURL,
		AccessTokenLifetime: s.AccessTokenLifetime.orNegative(), RefreshTokenIdleLifetime: s.RefreshTokenIdleLifetime.orNegative(),
		RefreshTokenLifetime: s.RefreshTokenLifetime.orNegative(), RefreshGrace: s.RefreshGrace.orNegative(),
		RefreshRotation:     storage.Rotation(s.RefreshRotation),
		KeyRotationInterval: s.KeyRotationInterval.orNegative(),
		SigningAlg:          s.SigningAlg, PasswordHash: hash,
		PasswordMinLength: s.PasswordMinLength.or(-1), PasswordMinScore: s.PasswordMinScore.or(account.AnyScore),
		SecondFactor: account.SecondFactor(s.SecondFactor),
		SignUp:       account.SignUp(s.SignUp), FactorRecovery: time.Duration(s.FactorRecovery),
		AuditRetention:      s.AuditRetention.orNegative(),
		SessionIdleLifetime: s.SessionIdleLifetime.orNegative(), SessionLifetime: s.SessionLifetime.orNegative(),
		OutboundAllow: s.OutboundAllow, OutboundRoots: roots, UILocales: pages.Languages(), MailFrom: s.MailFrom, Logger: logger,
		Registration: s.registration(), Documents: s.documents(), Developers: s.developers(),
	}
	if server, err := s.mailServer(); err == nil && server != nil {
		config.MailTransport = server
	}
	return config
}
