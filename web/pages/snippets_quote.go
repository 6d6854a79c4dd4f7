package pages

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"text/template"
	"unicode"
)

// errUnwritable: a value has what the language has no way to say.
var errUnwritable = errors.New("the value cannot be written in this language")

// quoting are the functions by which a value comes into a snippet, each by the name of the language: a whole literal, with its quotes.
func quoting() template.FuncMap {
	return template.FuncMap{"sh": quoteShell, "go": strconv.Quote, "js": quoteJSON, "py": quoteJSON, "yaml": quoteYAML, "conf": quoteConf, "nginx": quoteConf}
}

// quoteShell is for POSIX shells. In single quotes nothing is special but the quote itself.
func quoteShell(value string) (string, error) {
	if controls(value) {
		return "", errUnwritable
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'", nil
}

// quoteJSON is for JavaScript, whose strings JSON's are (ECMAScript 2019), and for Python and TOML, which read JSON's escapes alike.
// What would end a script element is escaped, too.
func quoteJSON(value string) (string, error) {
	text, err := json.Marshal(value)
	return string(text), err
}

// quoteYAML is quoteJSON, since YAML holds JSON. What Spring would replace is not to be said.
func quoteYAML(value string) (string, error) {
	if strings.Contains(value, "${") || strings.Contains(value, "#{") {
		return "", errUnwritable
	}
	return quoteJSON(value)
}

// quoteConf is for Apache and nginx, which replace variables within quotes and have no escape for that.
func quoteConf(value string) (string, error) {
	if controls(value) || strings.ContainsAny(value, "${}") {
		return "", errUnwritable
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`, nil
}

func controls(value string) bool { return strings.ContainsFunc(value, unicode.IsControl) }
