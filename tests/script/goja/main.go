// Runs a script as Stash v0.30 does: strict, by goja, with Go's own structs as its input.
//
// Arguments: the script. Standard input: cases, one JSON object a line. Standard output: for each,
// one line of what the script called and returned.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"reflect"
	"strings"

	"github.com/dop251/goja"
)

type fieldNames struct{ goja.FieldNameMapper }

func (names fieldNames) FieldName(owner reflect.Type, field reflect.StructField) string {
	if name := names.FieldNameMapper.FieldName(owner, field); name != "" {
		return name
	}
	return field.Name
}

// The inputs, as far as their shape matters here.
type sceneUpdate struct {
	ID     string   `json:"id"`
	Title  *string  `json:"title"`
	TagIds []string `json:"tag_ids"`
}
type bulkUpdate struct {
	Ids   []string `json:"ids"`
	Title *string  `json:"title"`
}
type SceneDestroyInput struct {
	ID string `json:"id"`
}
type ScenesDestroyInput struct {
	Ids []string `json:"ids"`
}
type destroyed struct {
	SceneDestroyInput
	Path string `json:"path"`
}
type allDestroyed struct {
	ScenesDestroyInput
	Path string `json:"path"`
}
type tagsMerge struct {
	Source      []string `json:"source"`
	Destination string   `json:"destination"`
}

type hookContext struct {
	ID          int         `json:"id,omitempty"`
	Type        string      `json:"type"`
	Input       interface{} `json:"input"`
	InputFields []string    `json:"inputFields,omitempty"`
}
type serverConnection struct {
	SessionCookie *http.Cookie
	Dir           string
}
type pluginInput struct {
	ServerConnection serverConnection
	Args             map[string]interface{}
}

type given struct {
	ID          int             `json:"id"`
	Type        string          `json:"type"`
	Shape       string          `json:"shape"`
	Input       json.RawMessage `json:"input"`
	InputFields []string        `json:"inputFields"`
	Cookie      string          `json:"cookie"`
	Folders     []string        `json:"folders"`
	Answers     []struct {
		Output interface{} `json:"output"`
		Error  string      `json:"error"`
	} `json:"answers"`
}

type result struct {
	Calls  []interface{} `json:"calls"`
	Error  string        `json:"error"`
	Output interface{}   `json:"output"`
	Threw  string        `json:"threw"`
}

func input(shape string, text json.RawMessage) (interface{}, error) {
	var err error
	switch shape {
	case "scene":
		var value sceneUpdate
		err = json.Unmarshal(text, &value)
		return value, err
	case "scenes":
		var value []*sceneUpdate
		err = json.Unmarshal(text, &value)
		return value, err
	case "bulk":
		var value bulkUpdate
		err = json.Unmarshal(text, &value)
		return value, err
	case "destroyed":
		var value destroyed
		err = json.Unmarshal(text, &value)
		return value, err
	case "all destroyed":
		var value allDestroyed
		err = json.Unmarshal(text, &value)
		return value, err
	case "ids":
		var value []string
		err = json.Unmarshal(text, &value)
		return value, err
	case "numbers":
		var value []int
		err = json.Unmarshal(text, &value)
		return value, err
	case "merge":
		var value tagsMerge
		err = json.Unmarshal(text, &value)
		return value, err
	}
	return nil, nil
}

// The answer of Stash to the question for the folders in the data folder; nil if it refuses.
func folders(vm *goja.Runtime, names []string, path interface{}) (goja.Value, error) {
	if names == nil || path != "/config/stash2plex" {
		made, _ := vm.New(vm.Get("Error"), vm.ToValue("graphql error: open: permission denied"))
		panic(made)
	}
	list := []interface{}{}
	for _, name := range names {
		list = append(list, name)
	}
	directory := map[string]interface{}{"directories": list}
	return vm.ToValue(map[string]interface{}{"directory": directory}), nil
}

func run(program *goja.Program, one given) (found result, err error) {
	vm := goja.New()
	vm.SetFieldNameMapper(fieldNames{goja.TagFieldNameMapper("json", true)})
	sent, err := input(one.Shape, one.Input)
	if err != nil {
		return found, err
	}
	err = vm.Set("input", pluginInput{
		serverConnection{&http.Cookie{Name: "session", Value: one.Cookie}, "/config"},
		map[string]interface{}{"hookContext": hookContext{one.ID, one.Type, sent, one.InputFields}},
	})
	if err != nil {
		return found, err
	}
	found.Calls = []interface{}{}
	do := func(query string, variables map[string]interface{}) (goja.Value, error) {
		if strings.Contains(query, "directory(") {
			return folders(vm, one.Folders, variables["path"])
		}
		number := len(found.Calls)
		found.Calls = append(found.Calls, variables["args"])
		if number >= len(one.Answers) {
			return nil, errors.New("called too often")
		}
		answer := one.Answers[number]
		if answer.Error != "" {
			made, _ := vm.New(vm.Get("Error"), vm.ToValue(errors.New(answer.Error)))
			panic(made)
		}
		return vm.ToValue(map[string]interface{}{"runPluginOperation": answer.Output}), nil
	}
	gql := vm.NewObject()
	if err = gql.Set("Do", do); err != nil {
		return found, err
	}
	if err = vm.Set("gql", gql); err != nil {
		return found, err
	}
	value, thrown := vm.RunProgram(program)
	if thrown != nil {
		found.Threw = thrown.Error()
		return found, nil
	}
	object := value.ToObject(vm)
	if output := object.Get("Output"); output != nil {
		found.Output = output.Export()
	}
	if failure := object.Get("Error"); failure != nil && !goja.IsNull(failure) && !goja.IsUndefined(failure) {
		found.Error = failure.String()
	}
	return found, nil
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	program, err := goja.Compile(os.Args[1], string(text), true)
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	written := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var one given
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			panic(err)
		}
		found, err := run(program, one)
		if err != nil {
			panic(err)
		}
		if err := written.Encode(found); err != nil {
			panic(err)
		}
	}
}
