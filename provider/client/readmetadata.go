package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// The bounds of a registration in JSON that comes from outside.
const (
	MaxMetadata  = 64 << 10 // bytes
	maxNested    = 16       // how deep arrays and objects may lie in one another
	maxMembers   = 256      // of all objects in it
	maxMemberLen = 256      // bytes of a member's name
)

// ReadMetadata reads the JSON object of a registration (RFC 7591 §2): the members of storage.ClientMetadata, each by its exact name, and
// in rest those that are none of them. A member that is null counts as absent (RFC 7591 §2). Errors are *oauth.Error,
// invalid_redirect_uri or invalid_client_metadata: the text is too large, not an object, nested too deep, says a member twice, or a
// member has another type. Nothing is validated beyond that.
func ReadMetadata(text []byte) (m storage.ClientMetadata, rest map[string]json.RawMessage, err error) {
	if len(text) > MaxMetadata {
		return m, nil, metadataError("the registration must not exceed %d KiB", MaxMetadata>>10)
	}
	if !utf8.Valid(text) {
		return m, nil, metadataError("the registration must be valid UTF-8")
	}
	walk := walker{decoder: json.NewDecoder(bytes.NewReader(text))}
	if err := walk.whole(); err != nil {
		return m, nil, err
	}
	if err := json.Unmarshal(text, &rest); err != nil || rest == nil {
		return m, nil, errNoObject()
	}
	into := reflect.ValueOf(&m).Elem()
	for field := range into.Type().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		raw, there := rest[name]
		delete(rest, name)
		if !there || string(raw) == "null" {
			continue
		}
		if err := json.Unmarshal(raw, into.FieldByIndex(field.Index).Addr().Interface()); err != nil {
			return storage.ClientMetadata{}, nil, typeError(name, field.Type)
		}
	}
	for name, raw := range rest {
		if string(raw) == "null" {
			delete(rest, name)
		}
	}
	return m, rest, nil
}

// typeError says which type a member must have.
func typeError(name string, is reflect.Type) error {
	if is.Kind() == reflect.Pointer {
		is = is.Elem()
	}
	kind := "a string"
	switch is.Kind() {
	case reflect.Bool:
		kind = "true or false"
	case reflect.Int64:
		kind = "a whole number"
	case reflect.Slice:
		kind = "an array of strings"
	}
	return oauth.Errorf(faultCode(name), "%s must be %s", name, kind)
}

func errNoObject() error {
	return metadataError("the registration must be one JSON object (RFC 7591 section 2)")
}

// walker reads a text once for what makes readers disagree, or costs them.
type walker struct {
	decoder *json.Decoder
	members int
}

func (w *walker) whole() error {
	if err := w.value(0); err != nil {
		return err
	}
	if _, err := w.decoder.Token(); !errors.Is(err, io.EOF) {
		return errNoObject()
	}
	return nil
}

func (w *walker) value(depth int) error {
	token, err := w.decoder.Token()
	if err != nil {
		return errNoObject()
	}
	opened, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	if depth == maxNested {
		return metadataError("the registration must not be nested deeper than %d", maxNested)
	}
	seen := map[string]bool{}
	for w.decoder.More() {
		if opened == '{' {
			if err := w.name(seen); err != nil {
				return err
			}
		}
		if err := w.value(depth + 1); err != nil {
			return err
		}
	}
	if _, err := w.decoder.Token(); err != nil {
		return errNoObject()
	}
	return nil
}

func (w *walker) name(seen map[string]bool) error {
	token, err := w.decoder.Token()
	name, ok := token.(string)
	if err != nil || !ok {
		return errNoObject()
	}
	if w.members++; w.members > maxMembers || len(name) > maxMemberLen {
		return metadataError("the registration must not have more than %d members, with names of at most %d bytes", maxMembers, maxMemberLen)
	}
	if seen[name] {
		return metadataError("the registration must not have a member twice")
	}
	seen[name] = true
	return nil
}
