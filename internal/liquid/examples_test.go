package liquid

import (
	"os"
	"path/filepath"
	"testing"

	"swapmc/internal/lab"
)

func TestExamplesAreValid(t *testing.T) {
	files, err := filepath.Glob("../../examples/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if lab.System(text) != "glass" {
			continue
		}
		read++
		if _, err := Read(file, text, Default()); err != nil {
			t.Error(err)
		}
	}
	if read == 0 {
		t.Error("no examples of glasses")
	}
}
