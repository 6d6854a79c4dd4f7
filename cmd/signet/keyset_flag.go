package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
)

// keySetFlag takes a JWK set from a file that the command line names.
type keySetFlag struct{ set *json.RawMessage }

// maxKeySetFile is more than the registry takes, so that the registry is who says it.
const maxKeySetFile = 1 << 20

// String implements pflag.Value.
func (keySetFlag) String() string { return "" }

// Type implements pflag.Value: what --help shows for the value.
func (keySetFlag) Type() string { return "file" }

// Set implements pflag.Value.
func (k keySetFlag) Set(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxKeySetFile))
	if err != nil {
		return err
	}
	if len(text) == 0 {
		return fmt.Errorf("%s is empty: it must hold a JWK set of public keys", name)
	}
	*k.set = text
	return nil
}

// choiceFlag is a bool that may also be left to the server.
type choiceFlag struct{ choice **bool }

// String implements pflag.Value.
func (c choiceFlag) String() string {
	if c.choice == nil || *c.choice == nil {
		return ""
	}
	return strconv.FormatBool(**c.choice)
}

// Type implements pflag.Value.
func (choiceFlag) Type() string { return "bool" }

// Set implements pflag.Value.
func (c choiceFlag) Set(text string) error {
	chosen, err := strconv.ParseBool(text)
	if err != nil {
		return fmt.Errorf("must be true or false")
	}
	*c.choice = &chosen
	return nil
}

// maybeSecondsFlag is a number of seconds that may also be left out, which differs from 0.
type maybeSecondsFlag struct{ seconds **int64 }

// String implements pflag.Value.
func (m maybeSecondsFlag) String() string {
	if m.seconds == nil || *m.seconds == nil {
		return ""
	}
	return strconv.FormatInt(**m.seconds, 10)
}

// Type implements pflag.Value: what --help shows for the value.
func (maybeSecondsFlag) Type() string { return "duration" }

// Set implements pflag.Value.
func (m maybeSecondsFlag) Set(text string) error {
	if text == "" {
		*m.seconds = nil
		return nil
	}
	n, err := parseSeconds(text)
	if err == nil {
		*m.seconds = &n
	}
	return err
}
