package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/goccy/go-yaml/ast"
)

// memberName is the name of a member as it is written; for what is no name it is something that no member is called.
func memberName(value *ast.MappingValueNode) string {
	if name, is := value.Key.(*ast.StringNode); is {
		return name.Value
	}
	return value.Key.GetToken().Value
}

// readMember reads a member of a client into its field, strictly: no value is taken for one of another type, and none is guessed.
func readMember(node ast.Node, into reflect.Value) error {
	switch node.(type) {
	case *ast.NullNode:
		return errors.New("is empty: leave the member out where the default is meant")
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		return errors.New("has an anchor, an alias or a tag, which are not read here: write the value out")
	}
	switch field := into.Addr().Interface().(type) {
	case *json.RawMessage:
		var text bytes.Buffer
		if err := writeJSON(&text, node); err != nil {
			return err
		}
		*field = text.Bytes()
		return nil
	case *[]string:
		return readTexts(node, field)
	}
	switch into.Kind() {
	case reflect.String:
		text, is := textOf(node)
		if !is {
			return errors.New("must be text: put it in quotes where YAML takes it for something else")
		}
		into.SetString(text)
		return nil
	case reflect.Bool:
		value, is := node.(*ast.BoolNode)
		if !is {
			return errors.New("must be true or false")
		}
		into.SetBool(value.Value)
		return nil
	case reflect.Int64:
		return readSeconds(node, into)
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		return readMember(node, into.Elem())
	}
	return errors.New("cannot be given in a file")
}

func readTexts(node ast.Node, into *[]string) error {
	list, is := node.(*ast.SequenceNode)
	if !is {
		return errors.New("must be a list")
	}
	*into = nil
	for i, value := range list.Values {
		text, is := textOf(value)
		if !is {
			return fmt.Errorf("must be a list of texts: put [%d] in quotes where YAML takes it for something else", i)
		}
		*into = append(*into, text)
	}
	return nil
}

// readSeconds reads a number as the registration's JSON has it; all numbers of a registration are seconds.
func readSeconds(node ast.Node, into reflect.Value) error {
	if value, is := node.(*ast.IntegerNode); is {
		switch n := value.Value.(type) {
		case int64:
			into.SetInt(n)
			return nil
		case uint64:
			if n <= 1<<63-1 {
				into.SetInt(int64(n))
				return nil
			}
		}
	}
	return errors.New("must be a whole number of seconds, such as 900")
}

func textOf(node ast.Node) (string, bool) {
	switch value := node.(type) {
	case *ast.StringNode:
		return value.Value, true
	case *ast.LiteralNode: // | and >
		return value.Value.Value, true
	}
	return "", false
}

// writeJSON writes a value that is JSON inside of YAML, such as a key set.
func writeJSON(out *bytes.Buffer, node ast.Node) error {
	switch value := node.(type) {
	case *ast.MappingNode:
		out.WriteByte('{')
		for i, member := range value.Values {
			if i > 0 {
				out.WriteByte(',')
			}
			writeText(out, memberName(member))
			out.WriteByte(':')
			if err := writeJSON(out, member.Value); err != nil {
				return err
			}
		}
		out.WriteByte('}')
	case *ast.SequenceNode:
		out.WriteByte('[')
		for i, element := range value.Values {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := writeJSON(out, element); err != nil {
				return err
			}
		}
		out.WriteByte(']')
	case *ast.IntegerNode:
		fmt.Fprint(out, value.Value)
	case *ast.BoolNode:
		fmt.Fprint(out, value.Value)
	default:
		text, is := textOf(node)
		if !is {
			return errors.New("has a value that is no mapping, list, text, whole number, true or false")
		}
		writeText(out, text)
	}
	return nil
}

// writeText writes a JSON string, without the escapes for HTML, with which keys and addresses are hard to read.
func writeText(out *bytes.Buffer, text string) {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string can always be encoded
	out.Truncate(out.Len() - 1)
}
