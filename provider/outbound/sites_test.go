package outbound_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/signet-idp/signet/provider/outbound"
)

// TestNothingElseGoesOutside: every call of the client's methods in product code is one of house.paths, which the corpus is driven
// through, and there is one such client. Who adds a call adds a path.
func TestNothingElseGoesOutside(t *testing.T) {
	t.Parallel()
	var methods []string
	for i := range reflect.TypeFor[*outbound.Client]().NumMethod() {
		methods = append(methods, reflect.TypeFor[*outbound.Client]().Method(i).Name)
	}
	if want := []string{"Get", "PostForm"}; !slices.Equal(methods, want) {
		t.Fatalf("the client has the methods %v: say below how a call of each looks", methods)
	}
	root := os.DirFS(filepath.Join("..", ".."))
	var calls, made []string
	for _, folder := range []string{"cmd", "provider", "web"} {
		err := fs.WalkDir(root, folder, func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") || path.Dir(file) == "provider/outbound" {
				return err
			}
			source, err := fs.ReadFile(root, file)
			if err != nil {
				return err
			}
			c, m, err := callsIn(file, source)
			calls, made = append(calls, c...), append(made, m...)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(calls)
	if want := slices.Sorted(maps.Keys((&house{}).paths())); !slices.Equal(calls, want) {
		t.Errorf("calls to the outside are in\n%q, and the corpus is driven through\n%q", calls, want)
	}
	if want := []string{"provider/provider.go New"}; !slices.Equal(made, want) {
		t.Errorf("clients are made in %q, want one, in %q", made, want)
	}
}

// callsIn are the functions of a file that call the client, each as often as it does, and those that make one. PostForm with a context
// in front of address and form, and Get with one in front of the address, are methods of no other type here.
func callsIn(file string, source []byte) (calls, made []string, err error) {
	tree, err := parser.ParseFile(token.NewFileSet(), file, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, declaration := range tree.Decls {
		function, is := declaration.(*ast.FuncDecl)
		name := file + " (outside of functions)"
		if is {
			name = file + " " + function.Name.Name
		}
		ast.Inspect(declaration, func(n ast.Node) bool {
			selector, is := n.(*ast.SelectorExpr)
			if !is {
				return true
			}
			room, _ := selector.X.(*ast.Ident)
			if room != nil && room.Name == "outbound" && selector.Sel.Name == "New" {
				made = append(made, name)
			}
			return true
		})
		ast.Inspect(declaration, func(n ast.Node) bool {
			call, is := n.(*ast.CallExpr)
			if !is {
				return true
			}
			selector, is := call.Fun.(*ast.SelectorExpr)
			if is && (selector.Sel.Name == "Get" && len(call.Args) > 1 || selector.Sel.Name == "PostForm" && len(call.Args) > 2) {
				calls = append(calls, name)
			}
			return true
		})
	}
	return calls, made, nil
}

// TestACallThatNobodyDrivesIsSeen: the test above would be quiet as well if it saw no calls.
func TestACallThatNobodyDrivesIsSeen(t *testing.T) {
	t.Parallel()
	calls, made, err := callsIn("x.go", []byte(`package x
func (a *A) one(ctx context.Context) { a.b.outbound.Get(ctx, address, "text/plain"); go a.PostForm(ctx, address, nil); header.Get("a"); r.PostForm.Get("a") }
func two() { c := outbound.New(outbound.Config{}); f := func() { _, _ = c.Get(ctx, address) }; f() }
var three = outbound.New
`))
	want := []string{"x.go one", "x.go one", "x.go two"}
	if err != nil || !slices.Equal(calls, want) || !slices.Equal(made, []string{"x.go two", "x.go (outside of functions)"}) {
		t.Errorf("calls %q, made %q, %v", calls, made, err)
	}
}
