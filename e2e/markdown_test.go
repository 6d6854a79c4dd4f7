package e2e

import (
	"os"
	"strings"
	"testing"
)

// shellBlocks returns the sh blocks of the section of a Markdown file under heading, in their order.
func shellBlocks(t *testing.T, path, heading string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	var block *strings.Builder
	var inside, other bool
	for line := range strings.Lines(string(text)) {
		fence := strings.HasPrefix(line, "```")
		switch {
		case block != nil && fence:
			blocks, block = append(blocks, block.String()), nil
		case block != nil:
			block.WriteString(line)
		case other || fence:
			if !other && inside && strings.TrimSpace(line) == "```sh" {
				block = &strings.Builder{}
			} else if fence {
				other = !other
			}
		case strings.HasPrefix(line, "#"):
			inside = strings.TrimSpace(strings.TrimLeft(line, "#")) == heading
		}
	}
	if len(blocks) == 0 {
		t.Fatalf("%s has no sh block under %q", path, heading)
	}
	return blocks
}
