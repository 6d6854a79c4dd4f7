package client

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/signet-idp/signet/storage"
)

// Change is a member that differs between two registrations. Was and Is are its JSON; nil: the member is not there.
type Change struct {
	Member string          `json:"member"`
	Was    json.RawMessage `json:"was,omitempty"`
	Is     json.RawMessage `json:"is,omitempty"`
}

// differences are the members in which two registrations differ, in the order of storage.ClientMetadata. A before of nil, which is no
// registration, has none of them.
func differences(before, after any) (out []Change) {
	was, is := members(before), members(after)
	for field := range reflect.TypeFor[storage.ClientMetadata]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if !bytes.Equal(was[name], is[name]) {
			out = append(out, Change{Member: name, Was: was[name], Is: is[name]})
		}
	}
	return out
}

// disabling is the change that a client is disabled, or enabled again.
func disabling(isNew, disabled bool) Change {
	was, is := json.RawMessage("true"), json.RawMessage("false")
	if disabled {
		was, is = is, was
	}
	if isNew {
		was = nil
	}
	return Change{Member: "disabled", Was: was, Is: is}
}

// changed names the members in which two registrations differ, for the audit log: names alone, no values.
func changed(before, after storage.ClientMetadata) string {
	var names []string
	for _, change := range differences(before, after) {
		names = append(names, change.Member)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// members are those of m's JSON, as they are written: without escapes for HTML, for people read them.
func members(m any) (out map[string]json.RawMessage) {
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(m); err != nil { // strings, numbers and booleans: there is nothing that could not be encoded
		return nil
	}
	_ = json.Unmarshal(encoded.Bytes(), &out)
	return out
}
