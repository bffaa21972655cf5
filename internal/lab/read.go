package lab

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"swapmc/internal/spelling"
)

// ReadFile reads a Spec from a YAML file, as [Read] does.
func ReadFile(path string, base Spec) (Spec, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Spec{}, err
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return Spec{}, fmt.Errorf("%s: empty: want keys, such as network: lenet", path)
	}
	return Read(path, text, base)
}

// Read reads a Spec from YAML. Keys that are absent keep their value in base.
// Errors begin with the file's name and the line: "spec.yaml:3: ...".
func Read(file string, text []byte, base Spec) (Spec, error) {
	s := base.clone()
	if err := Decode(file, text, &s, s.Validate); err != nil {
		return Spec{}, err
	}
	return s, nil
}

// Decode reads YAML into a struct, as [Read] does: a key that the struct has not got is an error that names
// the nearest, and so is what validate, called afterwards, says about a [FieldError]'s key.
func Decode(file string, text []byte, into any, validate func() error) (err error) {
	defer func() {
		// The YAML package does so on some malformed files.
		if fault := recover(); fault != nil {
			err = fmt.Errorf("%s: cannot be read as YAML: %v", file, fault)
		}
	}()
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		return located(file, err)
	}
	d := document{file: file, lines: map[string]int{}}
	switch {
	case len(tree.Docs) > 1:
		return fmt.Errorf("%s: %d documents: want one", file, len(tree.Docs))
	case len(tree.Docs) == 1 && hasContent(tree.Docs[0].Body):
		if err := d.plain(tree.Docs[0].Body); err != nil {
			return err
		}
		if err := d.check(tree.Docs[0].Body, reflect.TypeOf(into).Elem(), ""); err != nil {
			return err
		}
		if err := yaml.Unmarshal(text, into); err != nil {
			return located(file, err)
		}
	}
	if err := validate(); err != nil {
		return d.locate(err)
	}
	return nil
}

// Locate puts file and line before a [FieldError] that was found after the file had been
// read, such as one of [Plan]. Other errors are returned as they are.
func Locate(path string, err error) error {
	var field *FieldError
	if !errors.As(err, &field) {
		return err
	}
	text, fault := os.ReadFile(path)
	if fault != nil {
		return err
	}
	tree, fault := parser.ParseBytes(text, 0)
	if fault != nil || len(tree.Docs) != 1 || !hasContent(tree.Docs[0].Body) {
		return err
	}
	d := document{file: path, lines: map[string]int{}}
	if d.check(tree.Docs[0].Body, reflect.TypeFor[Spec](), "") != nil {
		return err
	}
	return d.locate(err)
}

// System returns the value of the key system in a YAML text, "" where it has none or cannot be read.
func System(text []byte) string {
	var s struct{ System string }
	if yaml.Unmarshal(text, &s) != nil {
		return ""
	}
	return s.System
}

// hasContent tells whether a document is more than comments.
func hasContent(body ast.Node) bool {
	switch body.(type) {
	case nil, *ast.CommentGroupNode, *ast.CommentNode:
		return false
	}
	return true
}

// Marshal writes the Spec as YAML that [Read] reads back as an equal Spec.
func (s Spec) Marshal() ([]byte, error) {
	return yaml.MarshalWithOptions(s, yaml.IndentSequence(true))
}

// clone makes a copy that shares no memory with s.
func (s Spec) clone() Spec {
	s.Protocols = append([]Protocols(nil), s.Protocols...)
	s.Seeds = append(Seeds(nil), s.Seeds...)
	s.Targets = append([]float64(nil), s.Targets...)
	return s
}

// A document knows the line of each key.
type document struct {
	file  string
	lines map[string]int
}

// plain refuses what a Spec has no use for, and what the YAML package trips over.
func (d *document) plain(body ast.Node) error {
	var fault error
	ast.Walk(visitor(func(n ast.Node) {
		what := ""
		switch n.(type) {
		case *ast.TagNode:
			what = "tag"
		case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
			what = "anchor"
		}
		if what != "" && fault == nil {
			fault = fmt.Errorf("%s:%d: a YAML %s: want plain keys and values", d.file, n.GetToken().Position.Line, what)
		}
	}), body)
	return fault
}

type visitor func(ast.Node)

func (v visitor) Visit(n ast.Node) ast.Visitor {
	v(n)
	return v
}

// check compares the keys of a YAML node with the fields of a struct, reads the
// texts that a type of ours parses, and notes where everything is.
func (d *document) check(node ast.Node, t reflect.Type, path string) error {
	line := node.GetToken().Position.Line
	if _, noted := d.lines[path]; !noted {
		d.lines[path] = line
	}
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%s:%d: %s: %w", d.file, line, path, fmt.Errorf(format, args...))
	}
	if _, null := node.(*ast.NullNode); null && path != "" {
		return fail("no value: write one, or leave the key out")
	}
	switch value := reflect.New(t).Interface().(type) {
	case encoding.TextUnmarshaler:
		scalar, ok := node.(*ast.StringNode)
		if !ok {
			return fail("want a text")
		}
		if err := value.UnmarshalText([]byte(scalar.Value)); err != nil {
			return fail("%w", err)
		}
		return nil
	case yaml.InterfaceUnmarshaler:
		d.note(node, path)
		if err := yaml.NodeToValue(node, value); err != nil {
			msg, _, _ := strings.Cut(yaml.FormatError(err, false, false), "\n")
			return fail("%s", position.ReplaceAllString(msg, ""))
		}
		return nil
	}
	switch t.Kind() {
	case reflect.Struct:
		return d.checkStruct(node, t, path)
	case reflect.Slice:
		list, ok := node.(*ast.SequenceNode)
		if !ok {
			return fail("want a list, such as [a, b]")
		}
		for i, item := range list.Values {
			if err := d.check(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	case reflect.Pointer:
		return d.check(node, t.Elem(), path)
	case reflect.Int: // the YAML package would cut 1.5 to 1
		var x float64
		if yaml.NodeToValue(node, &x) != nil || x != math.Trunc(x) || math.Abs(x) > 1<<53 {
			return fail("want a whole number")
		}
	default:
		if yaml.NodeToValue(node, reflect.New(t).Interface()) != nil {
			return fail("want %s", kindNames[t.Kind()])
		}
	}
	return nil
}

// note remembers the lines of all keys below a node, of which a type of ours makes
// what it likes.
func (d *document) note(node ast.Node, path string) {
	switch n := node.(type) {
	case *ast.MappingNode:
		for _, pair := range n.Values {
			d.note(pair, path)
		}
	case *ast.MappingValueNode:
		key := n.Key.GetToken()
		below := path + "." + key.Value
		d.lines[below] = key.Position.Line
		d.note(n.Value, below)
	case *ast.SequenceNode:
		for i, item := range n.Values {
			d.note(item, fmt.Sprintf("%s[%d]", path, i))
		}
	}
}

// kindNames says in a user's words what a value must be.
var kindNames = map[reflect.Kind]string{
	reflect.Float64: "a number",
	reflect.Bool:    "true or false",
	reflect.String:  "a text",
}

func (d *document) checkStruct(node ast.Node, t reflect.Type, path string) error {
	var pairs []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	default:
		line := node.GetToken().Position.Line
		if path == "" {
			return fmt.Errorf("%s:%d: want keys with values, such as \"network: lenet\"", d.file, line)
		}
		return fmt.Errorf("%s:%d: %s: want keys with values: %s", d.file, line, path, strings.Join(keys(t), ", "))
	}
	for _, pair := range pairs {
		key := pair.Key.GetToken().Value
		line := pair.Key.GetToken().Position.Line
		field, known := fieldOf(t, key)
		if !known {
			hint := spelling.Hint(key, keys(t))
			if hint == "" {
				hint = ": want one of " + strings.Join(keys(t), ", ")
			}
			in := ""
			if path != "" {
				in = " in " + path
			}
			return fmt.Errorf("%s:%d: unknown key %q%s%s", d.file, line, key, in, hint)
		}
		below := strings.TrimPrefix(path+"."+key, ".")
		d.lines[below] = line
		if err := d.check(pair.Value, field.Type, below); err != nil {
			return err
		}
	}
	return nil
}

// Lookup returns the field of the struct to which spec points that a key such as
// "optimizer.lr" names. Its error names the nearest key.
func Lookup(spec any, key string) (reflect.Value, error) {
	v := reflect.ValueOf(spec).Elem()
	path := ""
	for name := range strings.SplitSeq(key, ".") {
		if v.Kind() != reflect.Struct || reflect.PointerTo(v.Type()).Implements(unmarshaler) {
			return reflect.Value{}, fmt.Errorf("%s has no keys: want %s", path, path)
		}
		field, known := fieldOf(v.Type(), name)
		if !known {
			hint := spelling.Hint(key, below(v.Type(), path))
			if hint == "" {
				hint = ": want one of " + strings.Join(below(v.Type(), path), ", ")
			}
			return reflect.Value{}, fmt.Errorf("unknown key %q%s", key, hint)
		}
		v = v.FieldByIndex(field.Index)
		path = strings.TrimPrefix(path+"."+name, ".")
	}
	return v, nil
}

var unmarshaler = reflect.TypeFor[yaml.InterfaceUnmarshaler]()

// below lists the keys of a struct, with the path before each.
func below(t reflect.Type, path string) []string {
	var names []string
	for _, name := range keys(t) {
		names = append(names, strings.TrimPrefix(path+"."+name, "."))
	}
	return names
}

// Section splits a YAML text in two: without a key of its outermost level, and
// with that key only. Both keep the lines of the text where they are. Only a key
// that stands at the start of a line is found.
func Section(text []byte, key string) (without, only []byte) {
	inside := false
	for line := range bytes.Lines(text) {
		if start := line[0]; start != ' ' && start != '\t' && start != '\n' && start != '\r' && start != '#' && start != '-' {
			rest, ok := bytes.CutPrefix(line, []byte(key))
			inside = ok && bytes.HasPrefix(bytes.TrimLeft(rest, " \t"), []byte(":"))
		}
		if inside {
			without, only = append(without, '\n'), append(only, line...)
		} else {
			without, only = append(without, line...), append(only, '\n')
		}
	}
	return without, only
}

// fieldOf returns the field of a struct that has that YAML key.
func fieldOf(t reflect.Type, key string) (reflect.StructField, bool) {
	for field := range t.Fields() {
		if field.IsExported() && keyOf(field) == key {
			return field, true
		}
	}
	return reflect.StructField{}, false
}

// keys lists the YAML keys of a struct.
func keys(t reflect.Type) []string {
	var names []string
	for field := range t.Fields() {
		if name := keyOf(field); field.IsExported() && name != "-" {
			names = append(names, name)
		}
	}
	return names
}

func keyOf(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	if name == "" {
		name = strings.ToLower(f.Name)
	}
	return name
}

// locate puts file and line before an error of Validate.
func (d *document) locate(err error) error {
	var field *FieldError
	if !errors.As(err, &field) {
		return fmt.Errorf("%s: %w", d.file, err)
	}
	for key := field.Key; key != ""; {
		if line, ok := d.lines[key]; ok {
			return fmt.Errorf("%s:%d: %w", d.file, line, err)
		}
		key = key[:max(0, strings.LastIndexAny(key, ".["))]
	}
	return fmt.Errorf("%s: %w", d.file, err)
}

// position is how the YAML package begins its errors: "[line:column] ".
var position = regexp.MustCompile(`^\[(\d+):\d+\] `)

// located turns an error of the YAML package into one line with file and line.
func located(file string, err error) error {
	msg, _, _ := strings.Cut(yaml.FormatError(err, false, false), "\n")
	if m := position.FindStringSubmatch(msg); m != nil {
		line, _ := strconv.Atoi(m[1])
		return fmt.Errorf("%s:%d: %s", file, line, strings.TrimPrefix(msg, m[0]))
	}
	return fmt.Errorf("%s: %s", file, msg)
}
