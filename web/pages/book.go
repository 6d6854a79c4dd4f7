package pages

import (
	"fmt"
	"net/url"
	"strings"
)

// Book is what pages are made of: texts, templates, static files and snippets, for one issuer. Nothing in it changes, and any number of
// Sets may share it.
type Book struct {
	render   *renderer
	snippets *snippetBook
	issuer   *url.URL
}

// NewBook reads all that there is, and executes every template once in every language.
func NewBook(issuer string) (*Book, error) {
	address, err := url.Parse(issuer)
	if err != nil {
		return nil, fmt.Errorf("parse the issuer: %w", err)
	}
	b := &Book{issuer: address}
	if b.render, err = newRenderer(messageFiles, b.base(), address.Host+b.base()); err != nil {
		return nil, err
	}
	if b.snippets, err = loadSnippets(); err != nil {
		return nil, err
	}
	return b, nil
}

// base is the path of the issuer, in front of every address.
func (b *Book) base() string { return strings.TrimSuffix(b.issuer.Path, "/") }
