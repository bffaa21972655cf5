package kernel

import (
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	names := map[string]bool{}
	for _, k := range append(available(), goKernels) {
		names[k.name] = true
		got, err := choose(k.name)
		if err != nil || got.name != k.name {
			t.Errorf("choose(%s) gives %s, %v", k.name, got.name, err)
		}
	}
	fastest, err := choose("")
	if err != nil || !names[fastest.name] {
		t.Errorf("choose() gives %s, %v", fastest.name, err)
	}
	got, err := choose("mmx")
	if err == nil || !strings.Contains(err.Error(), "SWAPMC_KERNEL=mmx") || !strings.Contains(err.Error(), "go") {
		t.Errorf("choose(mmx): error %v, want one that names the value and what there is", err)
	}
	if got.name != fastest.name {
		t.Errorf("choose(mmx) gives %s, want %s", got.name, fastest.name)
	}
}
