package main

import (
	"encoding"
	"errors"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// readFile reads a YAML file strictly: an unknown key is an error with its line and column.
func (s *settings) readFile(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return fail(exitConfig, "--config: the file cannot be read: %w", err)
	}
	defer file.Close()
	err = yaml.NewDecoder(file, yaml.Strict(), yaml.DisallowUnknownField()).Decode(s)
	if err != nil && !errors.Is(err, io.EOF) { // an empty file sets nothing
		return fail(exitConfig, "%s: %s", name, firstLine(yaml.FormatError(err, false, false)))
	}
	return nil
}

// placed reads a YAML scalar as text. What is wrong with it is said with its line, column and key.
func placed(node ast.Node, into encoding.TextUnmarshaler) error {
	token := node.GetToken()
	if err := into.UnmarshalText([]byte(token.Value)); err != nil {
		return &yaml.SyntaxError{Message: strings.TrimPrefix(node.GetPath(), "$.") + " " + err.Error(), Token: token}
	}
	return nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// number is a whole number that is written without a sign.
type number int

// UnmarshalYAML implements yaml.NodeUnmarshaler, so that the error says where in the file.
func (n *number) UnmarshalYAML(node ast.Node) error { return placed(node, n) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (n *number) UnmarshalText(text []byte) error {
	parsed, err := strconv.ParseUint(string(text), 10, 16)
	if err != nil {
		return errors.New("must be a whole number such as 8")
	}
	*n = number(parsed)
	return nil
}

// or keeps an explicit zero from meaning "the default".
func (n number) or(zero int) int {
	if n == 0 {
		return zero
	}
	return int(n)
}

// cidrs are networks, comma separated.
type cidrs []netip.Prefix

// UnmarshalYAML implements yaml.NodeUnmarshaler: a file may hold a list of them as well as the text.
func (c *cidrs) UnmarshalYAML(node ast.Node) error {
	list, is := node.(*ast.SequenceNode)
	if !is {
		return placed(node, c)
	}
	*c = nil
	for _, value := range list.Values {
		var one cidrs
		if err := placed(value, &one); err != nil {
			return err
		}
		*c = append(*c, one...)
	}
	return nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *cidrs) UnmarshalText(text []byte) error {
	*c = nil
	for part := range strings.SplitSeq(string(text), ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(part)
		if err != nil {
			return errors.New("must be CIDRs such as 10.0.0.0/8 or 127.0.0.1/32, comma separated")
		}
		if prefix.Bits() == 0 {
			return errors.New("must not trust the whole Internet (/0): name the networks of your proxies")
		}
		*c = append(*c, prefix.Masked())
	}
	return nil
}
