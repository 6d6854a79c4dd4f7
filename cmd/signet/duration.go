package main

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

const (
	second = time.Second
	minute = time.Minute
	day    = 24 * time.Hour
)

// duration is a time.Duration that knows days: 30d, 1d12h, 15m.
type duration time.Duration

// errDuration says what a duration looks like.
var errDuration = errors.New("must be a duration such as 30s, 15m, 12h or 30d")

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := parseDuration(string(text))
	*d = duration(parsed)
	return err
}

// UnmarshalYAML implements yaml.NodeUnmarshaler, so that the error says where in the file.
func (d *duration) UnmarshalYAML(node ast.Node) error { return placed(node, d) }

// MarshalText implements encoding.TextMarshaler.
func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// orNegative keeps an explicit zero from meaning "the default": it is out of every bound and is refused.
func (d duration) orNegative() time.Duration {
	if d == 0 {
		return -1
	}
	return time.Duration(d)
}

// delay is a duration that may be off.
type delay time.Duration

// errDelay says what a delay looks like.
var errDelay = errors.New("must be off, or a duration such as 72h or 3d")

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *delay) UnmarshalText(text []byte) error {
	*d = 0
	if string(text) == "off" {
		return nil
	}
	parsed, err := parseDuration(string(text))
	if err != nil {
		return errDelay
	}
	*d = delay(parsed)
	return nil
}

// UnmarshalYAML implements yaml.NodeUnmarshaler, so that the error says where in the file.
func (d *delay) UnmarshalYAML(node ast.Node) error { return placed(node, d) }

func parseDuration(text string) (time.Duration, error) {
	days, rest, found := strings.Cut(text, "d")
	if !found {
		days, rest = "", text
	}
	var total time.Duration
	if found {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil || n > 36500 {
			return 0, errDuration
		}
		total = time.Duration(n) * day
	}
	if rest != "" {
		more, err := time.ParseDuration(rest)
		if err != nil || (found && more < 0) {
			return 0, errDuration
		}
		total += more
	} else if !found {
		return 0, errDuration
	}
	return total, nil
}
