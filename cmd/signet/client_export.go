package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/storage"
)

func newClientExport(a *app) *cobra.Command {
	var output string // not that of the others, whose default is another
	cmd := &cobra.Command{
		Use: "export [ID]...", Short: "Write clients as a file that apply reads, without secrets",
		Long: `Write all clients, or those that are named, as a file that 'signet client apply' reads. It has no
secrets, and no clients whose client_id is the address of their description: those come by it. Applied to the same clients it changes nothing; applied to another server it makes
clients with new secrets.`,
		Example: "  signet client export > clients.yaml\n  signet client export shop api -o json",
	}
	cmd.Flags().StringVarP(&output, "output", "o", "yaml", "`format`: yaml or json")
	cmd.RunE = func(cmd *cobra.Command, ids []string) error {
		if output != "yaml" && output != "json" {
			return fail(exitUsage, "--output must be yaml or json; see '%s --help'", cmd.CommandPath())
		}
		return a.with(cmd, func(ctx context.Context, o *opened) error {
			clients, err := exported(ctx, o.Clients(), ids)
			if err != nil {
				return err
			}
			if output == "json" {
				return printJSON(a.stdout, struct {
					Clients []client.Declaration `json:"clients"`
				}{clients})
			}
			text, err := clientsYAML(clients)
			if err != nil {
				return err
			}
			_, err = a.stdout.Write(text)
			return err
		})
	}
	return cmd
}

// exported are the clients that are named, in that order, or all by client_id.
func exported(ctx context.Context, registry *client.Registry, ids []string) ([]client.Declaration, error) {
	out := []client.Declaration{}
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			return nil, fail(exitUsage, "the client_id %q is named twice", id)
		}
		c, err := registry.Find(ctx, id)
		if err != nil {
			return nil, clientMissing(id, err)
		}
		if c.Origin == storage.OriginDocument {
			return nil, fail(exitUsage, "the client %s is described by the document at its client_id: there is nothing of it to keep in a file", id)
		}
		out = append(out, client.Declare(c))
	}
	const page = 500
	for after, more := "", len(ids) == 0; more; {
		clients, err := registry.List(ctx, after, page)
		if err != nil {
			return nil, err
		}
		for _, c := range clients {
			if after = c.ID; c.Origin != storage.OriginDocument { // those come by their documents, everywhere
				out = append(out, client.Declare(c))
			}
		}
		more = len(clients) == page
	}
	return out, nil
}

// clientsYAML writes clients as people would: a member a line, in the order of the registration.
func clientsYAML(clients []client.Declaration) ([]byte, error) {
	if len(clients) == 0 {
		return []byte("clients: []\n"), nil
	}
	out := bytes.NewBufferString("clients:\n")
	for _, d := range clients {
		if err := writeClient(out, d); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// writeClient takes the client's JSON apart, so that no member can have another name or be forgotten.
func writeClient(out *bytes.Buffer, d client.Declaration) error {
	encoded, err := json.Marshal(d)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	if _, err := decoder.Token(); err != nil {
		return err
	}
	for indent := "  - "; decoder.More(); indent = "    " {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return err
		}
		if string(value) == "null" { // a member without a value
			continue
		}
		fmt.Fprintf(out, "%s%s:", indent, name)
		if err := writeValue(out, value); err != nil {
			return err
		}
	}
	return nil
}

func writeValue(out *bytes.Buffer, value json.RawMessage) error {
	switch value[0] {
	case '"':
		var text string
		if err := json.Unmarshal(value, &text); err != nil {
			return err
		}
		out.WriteByte(' ')
		writeScalar(out, text)
	case '[':
		var texts []string
		if err := json.Unmarshal(value, &texts); err != nil {
			return err
		}
		if len(texts) == 0 {
			out.WriteString(" []")
		}
		for _, text := range texts {
			out.WriteString("\n      - ")
			writeScalar(out, text)
		}
	case '{': // JSON is YAML
		out.WriteByte(' ')
		if err := json.Indent(out, value, "      ", "  "); err != nil {
			return err
		}
	default:
		out.WriteByte(' ')
		out.Write(value)
	}
	out.WriteByte('\n')
	return nil
}

// plainText is what every reader of YAML takes for text without quotes: it begins with a letter, and a colon in it does not end a key.
var plainText = regexp.MustCompile(`^[A-Za-z]([A-Za-z0-9._/?=&@~+-]|:[A-Za-z0-9._/?=&@~+-]| [A-Za-z0-9._/])*$`)

func writeScalar(out *bytes.Buffer, text string) {
	if plainText.MatchString(text) && !otherWord(text) {
		out.WriteString(text)
		return
	}
	writeText(out, text)
}

// otherWord reports whether some version of YAML takes the text for something else.
func otherWord(text string) bool {
	switch strings.ToLower(text) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
		return true
	}
	return false
}

// clientMissing says that a client is not there, and whatever else went wrong as it is.
func clientMissing(id string, err error) error {
	if !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	return fail(exitNotFound, "there is no client with the client_id %q; 'signet client list' shows all", id)
}
