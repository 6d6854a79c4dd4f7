package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// show answers with one thing: its JSON, or a table of its members, one a line.
func (a *app) show(thing any) error {
	if a.output == "json" {
		return printJSON(a.stdout, thing)
	}
	rows, err := membersOf(thing)
	if err != nil {
		return err
	}
	return writeTable(a.stdout, rows)
}

// list answers with several things: their JSON as an array, or a table with one line each under the head.
func list[T any](a *app, things []T, head []string, line func(T) []string) error {
	if a.output == "json" {
		if things == nil {
			things = []T{}
		}
		return printJSON(a.stdout, things)
	}
	rows := [][]string{head}
	for _, thing := range things {
		rows = append(rows, line(thing))
	}
	return writeTable(a.stdout, rows)
}

// hint tells people on stderr what comes next, where it does not disturb what stdout is piped to.
func (a *app) hint(format string, args ...any) { _, _ = fmt.Fprintf(a.stderr, format+"\n", args...) }

func writeTable(w io.Writer, rows [][]string) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		if _, err := fmt.Fprintln(table, strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	return table.Flush()
}

// membersOf lists the members of thing's JSON object in their order, so that a table has the same names as JSON.
func membersOf(thing any) (rows [][]string, err error) {
	encoded, err := json.Marshal(thing)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		var value any
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		name := fmt.Sprint(token)
		rows = append(rows, []string{name, cell(name, value)})
	}
	return rows, nil
}

func cell(name string, value any) string {
	switch v := value.(type) {
	case string:
		return v
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = cell("", v[i])
		}
		return strings.Join(parts, " ")
	case map[string]any:
		encoded, _ := json.Marshal(v) // it was JSON a moment ago
		return string(encoded)
	case float64:
		if strings.HasSuffix(name, "_at") {
			return moment(int64(v))
		}
		return fmt.Sprint(int64(v))
	}
	return fmt.Sprint(value)
}

// moment is a time in seconds since the epoch as people read it; 0 means never everywhere in Signet.
func moment(seconds int64) string {
	if seconds == 0 {
		return "never"
	}
	return time.Unix(seconds, 0).UTC().Format(time.RFC3339)
}
