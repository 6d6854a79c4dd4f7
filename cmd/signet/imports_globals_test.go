package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// reviewed are the variables of packages that are no error sentinel, embedded file or expression, and why each may be one: none
// of them is ever written to.
func reviewed() map[string]string {
	return map[string]string{
		"provider/handle/handle.go strictBase64": "an encoding",
		"provider/keys/jwt.go strictBase64":      "an encoding",
		"provider/oauth/params.go repeatable":    "a table",
		"provider/oauth/params.go known":         "a table",
		"provider/client/id.go reservedIDs":      "a table",
		"provider/client/uri.go loopbackHosts":   "a table",
		"provider/routes.go get":                 "a list of methods",
		"provider/routes.go post":                "a list of methods",
		"provider/routes.go getsPost":            "a list of methods",
		"storage/postgres/errors.go sentinels":   "a list of error sentinels",
		"storage/sqlite/errors.go sentinels":     "a list of error sentinels",
	}
}

// supportsTests are folders that only tests import; their tables are their own affair.
func supportsTests(file string) bool {
	return strings.HasPrefix(file, "storage/storetest/") || strings.HasPrefix(file, "storage/postgres/pgtest/") ||
		strings.HasPrefix(file, "storage/sqlite/sqlitetest/")
}

func TestNothingHappensBeforeMainAndNothingIsGlobal(t *testing.T) {
	left := reviewed()
	eachFile(t, parser.SkipObjectResolution, func(file string, tree *ast.File, at func(ast.Node) string) {
		for _, d := range tree.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					t.Errorf("%s: an init function: do it in New, where it can fail", at(d))
				}
			case *ast.GenDecl:
				if d.Tok == token.VAR && !supportsTests(file) {
					for _, name := range globals(d) {
						if _, ok := left[file+" "+name.Name]; !ok {
							t.Errorf("%s: the variable %s belongs to everybody: make it a constant, a function or a field", at(name), name.Name)
						}
						delete(left, file+" "+name.Name)
					}
				}
			}
		}
	})
	for name := range left {
		t.Errorf("%s is reviewed and does not exist: take it out of the list", name)
	}
}

// globals are the names of a declaration that are not plainly constant in nature.
func globals(d *ast.GenDecl) (names []*ast.Ident) {
	for _, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		if embedded(d.Doc) || embedded(v.Doc) {
			continue
		}
		for i, name := range v.Names {
			if name.Name != "_" && (i >= len(v.Values) || !fixed(v.Values[i])) {
				names = append(names, name)
			}
		}
	}
	return names
}

func embedded(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
}

// fixed reports whether value is an error sentinel or a compiled expression.
func fixed(value ast.Expr) bool {
	call, ok := value.(*ast.CallExpr)
	return ok && slices.Contains([]string{"errors.New", "fmt.Errorf", "regexp.MustCompile"}, selector(call.Fun))
}

// selector is "x.Y" of that expression, "" of any other.
func selector(e ast.Expr) string {
	if s, ok := e.(*ast.SelectorExpr); ok {
		if x, ok := s.X.(*ast.Ident); ok {
			return x.Name + "." + s.Sel.Name
		}
	}
	return ""
}

// TestOnlyOneRoomCallsTheOutside: a request to an address that somebody else chose goes through the guarded client. The command's
// own go where its user points them, and provider/bearer lives in other programs, whose issuer it asks.
func TestOnlyOneRoomCallsTheOutside(t *testing.T) {
	callers := []string{
		"http.Client", "http.DefaultClient", "http.Transport", "http.DefaultTransport", "http.Get", "http.Head", "http.Post", "http.PostForm",
	}
	eachFile(t, parser.SkipObjectResolution, func(file string, tree *ast.File, at func(ast.Node) string) {
		for _, caller := range []string{"cmd/signet/", "provider/outbound/", "provider/bearer/"} {
			if strings.HasPrefix(file, caller) {
				return
			}
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if e, ok := n.(ast.Expr); ok && slices.Contains(callers, selector(e)) {
				t.Errorf("%s: %s: calls to the outside go through provider/outbound", at(n), selector(e))
			}
			return true
		})
	})
}

func TestTheListOfGlobalsSeesThem(t *testing.T) {
	source := `package x
import "errors"
var ErrA, errB = errors.New("a"), errors.New("b")
var _ = 1
var cache = map[string]int{}
var (
	//go:embed x
	page string
	count int
)`
	tree, err := parser.ParseFile(token.NewFileSet(), "x.go", source, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, d := range tree.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
			for _, name := range globals(g) {
				found = append(found, name.Name)
			}
		}
	}
	if want := []string{"cache", "count"}; !slices.Equal(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
}
