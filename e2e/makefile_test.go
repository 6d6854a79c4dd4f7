package e2e

import (
	"os/exec"
	"strings"
	"testing"
)

// TestEveryTargetIsThereAndTells: `make` alone lists what there is, and what people and documents count on is among it.
func TestEveryTargetIsThereAndTells(t *testing.T) {
	list := exec.CommandContext(t.Context(), "make", "--no-print-directory", "-C", "..")
	told, err := list.CombinedOutput()
	if err != nil {
		t.Fatalf("make: %v\n%s", err, told)
	}
	for _, target := range []string{"test", "unit", "e2e", "lint", "race", "kill", "faults", "fuzz", "soak", "bench", "build", "dev", "secrets", "clean"} {
		if !strings.Contains(string(told), "make "+target+" ") {
			t.Errorf("make does not tell of the target %s:\n%s", target, told)
		}
		dry := exec.CommandContext(t.Context(), "make", "--no-print-directory", "-C", "..", "-n", target)
		if out, err := dry.CombinedOutput(); err != nil {
			t.Errorf("make %s: %v\n%s", target, err, out)
		}
	}
}
