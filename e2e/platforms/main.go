// Platforms checks that the packages named on its command line compile for the
// systems named before them, as in
//
//	go run ./e2e/platforms darwin windows -- ./sandbox/... ./cmd/...
//
// Building Kubernetes for another system takes minutes of which nearly all go
// into code that is not ours. So only types are checked here, of our packages
// whole and of the others without the bodies of their functions: what can be
// wrong about a package of ours on another system is a name that is not there, or
// is not the same, and that is seen. (make build-platforms builds whole.)
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

func main() {
	cut := slices.Index(os.Args, "--")
	if cut < 2 || cut == len(os.Args)-1 {
		fmt.Fprintln(os.Stderr, "usage: platforms SYSTEM... -- PACKAGE...")
		os.Exit(2)
	}
	root, err := os.Getwd()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	failed := false
	for _, system := range os.Args[1:cut] {
		ours, wrong, err := check(root, system, os.Args[cut+1:])
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", system, err)
			os.Exit(1)
		}
		for _, w := range wrong {
			fmt.Fprintf(os.Stderr, "%s: %s\n", system, w)
		}
		failed = failed || len(wrong) > 0
		fmt.Printf("%s: %d packages of ours have the right types\n", system, ours)
	}
	if failed {
		os.Exit(1)
	}
}

// check loads packages for a system and returns how many of them are in the
// module below root, and what is wrong with those.
func check(root, system string, patterns []string) (ours int, wrong []string, err error) {
	inside := func(name string) bool {
		rel, err := filepath.Rel(root, name)
		return err == nil && filepath.IsLocal(rel)
	}
	all, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports |
			packages.NeedDeps | packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo | packages.NeedModule,
		Env: append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0"),
		ParseFile: func(files *token.FileSet, name string, source []byte) (*ast.File, error) {
			file, err := parser.ParseFile(files, name, source, parser.SkipObjectResolution)
			if file != nil && !inside(name) {
				for _, d := range file.Decls {
					if f, ok := d.(*ast.FuncDecl); ok {
						f.Body = nil
					}
				}
			}
			return file, err
		},
	}, patterns...)
	if err != nil {
		return 0, nil, err
	}
	packages.Visit(all, nil, func(p *packages.Package) {
		if p.Module == nil || !p.Module.Main {
			return // imports that only the missing bodies use are reported there
		}
		ours++
		for _, e := range p.Errors {
			wrong = append(wrong, strings.TrimPrefix(e.Error(), root+string(filepath.Separator)))
		}
	})
	if ours == 0 {
		return 0, nil, fmt.Errorf("there is no package of this module in %v", patterns)
	}
	return ours, wrong, nil
}
