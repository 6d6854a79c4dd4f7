package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
)

// maxClientFile bounds a file, in bytes: with all that a registration may hold it has room for more clients than a person can review.
const maxClientFile = 16 << 20

// declared is a client of a file, and where its members stand there, so that what is wrong with one is said with its place.
type declared struct {
	client.Declaration
	file    string
	node    ast.Node            // the whole entry
	members map[string]ast.Node // the values
}

// place is where a member stands, or its element [i], or else the entry.
func (d declared) place(member string, i int) ast.Node {
	node, there := d.members[member]
	if !there {
		return d.node
	}
	if list, is := node.(*ast.SequenceNode); is && i >= 0 && i < len(list.Values) {
		return list.Values[i]
	}
	return node
}

// clientReader reads files of clients and gathers what is wrong with them.
type clientReader struct {
	fields   map[string][]int // by member: the index of its field in client.Declaration
	clients  []declared
	problems []error
}

func newClientReader() *clientReader {
	r := &clientReader{fields: map[string][]int{}}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[client.Declaration]()) {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" {
			r.fields[name] = field.Index
		}
	}
	return r
}

// open reads one file, or stdin where its name is "-".
func (r *clientReader) open(ctx context.Context, name string, stdin io.Reader) {
	in := stdin
	if name == "-" {
		name = "stdin"
	} else {
		file, err := os.Open(name)
		if err != nil {
			r.problems = append(r.problems, fmt.Errorf("the file cannot be read: %w", err))
			return
		}
		defer file.Close()
		in = file
	}
	text, err := readWhole(ctx, in)
	switch {
	case err != nil:
		r.problems = append(r.problems, fmt.Errorf("%s cannot be read: %w", name, err))
	case len(text) > maxClientFile:
		r.problems = append(r.problems, fmt.Errorf("%s has more than %d MiB: split it", name, maxClientFile>>20))
	case !utf8.Valid(text):
		r.problems = append(r.problems, fmt.Errorf("%s is not in UTF-8", name))
	default:
		r.read(name, text)
	}
}

// readWhole reads to the end, or until ctx ends: nobody who presses Ctrl-C at a terminal waits for more.
func readWhole(ctx context.Context, in io.Reader) (text []byte, err error) {
	done := make(chan struct{})
	var whole []byte
	var failed error
	go func() {
		whole, failed = io.ReadAll(io.LimitReader(in, maxClientFile+1))
		close(done)
	}()
	select {
	case <-done:
		return whole, failed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// read takes the clients of every document of one file.
func (r *clientReader) read(name string, text []byte) {
	parsed, err := parser.ParseBytes(text, 0)
	if err != nil {
		var fault yaml.Error
		if !errors.As(err, &fault) {
			r.problems = append(r.problems, fmt.Errorf("%s: %s", name, firstLine(yaml.FormatError(err, false, false))))
			return
		}
		at := fault.GetToken().Position
		r.problems = append(r.problems, fmt.Errorf("%s:%d:%d: %s", name, at.Line, at.Column, firstLine(fault.GetMessage())))
		return
	}
	empty := true
	for _, document := range parsed.Docs {
		if _, directive := document.Body.(*ast.DirectiveNode); document.Body == nil || directive {
			continue
		}
		empty = false
		r.document(name, document.Body)
	}
	if empty {
		r.problems = append(r.problems, fmt.Errorf("%s is empty: it must have the member clients, a list of clients (signet client export shows one)", name))
	}
}

func (r *clientReader) document(name string, body ast.Node) {
	whole, is := body.(*ast.MappingNode)
	if !is || len(whole.Values) != 1 || memberName(whole.Values[0]) != "clients" {
		r.wrong(name, body, "", "the file must have one member, clients: a list of clients (signet client export shows one)")
		return
	}
	list, is := whole.Values[0].Value.(*ast.SequenceNode)
	if !is {
		r.wrong(name, whole.Values[0].Value, "", "clients must be a list of clients; [] where there are none")
		return
	}
	for _, node := range list.Values {
		r.entry(name, node)
	}
}

// entry takes one client. It is kept where all of it could be read.
func (r *clientReader) entry(name string, node ast.Node) {
	whole, is := node.(*ast.MappingNode)
	if !is {
		r.wrong(name, node, "", "a client must be a mapping of its members")
		return
	}
	d, faults := declared{file: name, node: node, members: map[string]ast.Node{}}, len(r.problems)
	into := reflect.ValueOf(&d.Declaration).Elem()
	for _, value := range whole.Values { // first, so that the other problems can name the client
		if memberName(value) == "client_id" {
			d.node = value.Key
			_ = readMember(value.Value, into.FieldByIndex(r.fields["client_id"])) // it is said below
		}
	}
	for _, value := range whole.Values {
		member := memberName(value)
		index, known := r.fields[member]
		switch {
		case !known:
			r.wrong(name, value.Key, d.ClientID, unknownMember(member))
			continue
		case d.members[member] != nil:
			r.wrong(name, value.Key, d.ClientID, member+" is there twice")
			continue
		}
		d.members[member] = value.Value
		if err := readMember(value.Value, into.FieldByIndex(index)); err != nil {
			r.wrong(name, value.Value, d.ClientID, member+" "+err.Error())
		}
	}
	if d.members["client_id"] == nil {
		r.wrong(name, node, "", "client_id is missing: choose one, so that the file means the same client every time")
	}
	if len(r.problems) == faults {
		r.clients = append(r.clients, d)
	}
}

// check lets the registry judge every client, with the places of what it finds.
func (r *clientReader) check(registry *client.Registry) error {
	first := map[string]declared{}
	for i, d := range r.clients {
		if other, twice := first[d.ClientID]; twice {
			r.wrong(d.file, d.node, d.ClientID, fmt.Sprintf("client_id is declared twice, first at %s", position(other.file, other.node)))
			continue
		}
		first[d.ClientID] = d
		checked, faults := registry.Check(d.Declaration)
		for _, fault := range faults {
			text := fault.Error()
			if e := oauth.As(fault); e != nil {
				text = e.Description
			}
			r.wrong(d.file, d.place(memberOf(text)), d.ClientID, text)
		}
		if len(faults) == 0 {
			r.clients[i].Declaration = checked
		}
	}
	if len(r.problems) == 0 {
		return nil
	}
	return fail(exitFailed, "%w", errors.Join(r.problems...))
}

func (r *clientReader) wrong(file string, node ast.Node, id, text string) {
	if id != "" {
		text = fmt.Sprintf("client %q: %s", id, text)
	}
	r.problems = append(r.problems, fmt.Errorf("%s: %s", position(file, node), text))
}

// position is FILE:LINE:COLUMN, as compilers write it and editors follow it.
func position(file string, node ast.Node) string {
	at := node.GetToken().Position
	if whole, is := node.(*ast.MappingNode); is && len(whole.Values) > 0 {
		at = whole.Values[0].Key.GetToken().Position // the token of a mapping is its first colon
	}
	return fmt.Sprintf("%s:%d:%d", file, at.Line, at.Column)
}

// memberOf finds the member and the element that a fault of the registry begins with; -1 where it names no element.
func memberOf(text string) (member string, i int) {
	end := strings.IndexFunc(text, func(c rune) bool { return c != '_' && (c < 'a' || c > 'z') })
	if end < 0 {
		return text, -1
	}
	if n, err := fmt.Sscanf(text[end:], "[%d]", &i); n != 1 || err != nil {
		i = -1
	}
	return text[:end], i
}

func unknownMember(member string) string {
	switch member {
	case "client_secret":
		return "client_secret must not be in a file: secrets are made by the server and shown once (signet client rotate-secret makes another)"
	case "client_id_issued_at", "client_secret_expires_at":
		return member + " is for the server to say: leave it out"
	}
	return fmt.Sprintf("unknown member %q: members have the names of RFC 7591 (signet client export shows them)", member)
}
