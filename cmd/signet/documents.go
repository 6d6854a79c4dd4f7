package main

import (
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/signet-idp/signet/provider/client"
)

// hosts are host names and domains, comma separated.
type hosts []string

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *hosts) UnmarshalText(text []byte) error {
	*h = nil
	for part := range strings.SplitSeq(string(text), ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		if err := client.CheckDocumentHost(part); err != nil {
			return err
		}
		*h = append(*h, part)
	}
	return nil
}

// UnmarshalYAML implements yaml.NodeUnmarshaler: a file may hold a list of them as well as the text.
func (h *hosts) UnmarshalYAML(node ast.Node) error {
	list, is := node.(*ast.SequenceNode)
	if !is {
		return placed(node, h)
	}
	*h = nil
	for _, value := range list.Values {
		var one hosts
		if err := placed(value, &one); err != nil {
			return err
		}
		*h = append(*h, one...)
	}
	return nil
}

// documents are whose client id documents are read.
func (s settings) documents() client.DocumentPolicy {
	return client.DocumentPolicy{On: s.ClientIDDocuments == "on", Allow: s.ClientIDDocumentAllow, Deny: s.ClientIDDocumentDeny}
}
