package pages

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/boombuler/barcode/qr"

	"github.com/signet-idp/signet/storage"
)

func TestABrowserIsNamedByItsAgentAsFarAsThatTells(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                                          "Firefox, Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36":                                 "Chrome, Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0":                   "Edge, Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15":                           "Safari, macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1":         "Safari, iPhone",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/138.0.7204.119 Mobile/15E148 Safari/604.1": "Chrome, iPhone",
		"Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36":      "Samsung Internet, Android",
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36":                                  "Chrome, ChromeOS",
		"curl/8.14.1":               "curl/8.14.1",
		"Firefox/1":                 "Firefox",
		"":                          "",
		"\x00\u202e\n":              "",
		strings.Repeat("é", 300):    strings.Repeat("é", 48) + "…",
		"a\u202eb\u0000c Linux":     "abc Linux",
		"<script>alert(1)</script>": "<script>alert(1)</script>", // a template's to escape
	} {
		if got := agentName(agent); got != want {
			t.Errorf("%.60q is %q, want %q", agent, got, want)
		}
	}
}

func TestAQRCodeIsDrawnModuleByModule(t *testing.T) {
	for _, text := range []string{"otpauth://totp/id.example:ada?secret=2TV3DQHYM7XY7M4ORHZT4SRPAHTVZYZW&issuer=id.example", "x", strings.Repeat("otpauth", 60)} {
		want, err := qr.Encode(text, qr.M, qr.Auto)
		if err != nil {
			t.Fatal(err)
		}
		got, err := drawQR(text)
		if err != nil {
			t.Fatal(err)
		}
		if got.Size != want.Bounds().Dx() {
			t.Fatalf("%d modules, want %d", got.Size, want.Bounds().Dx())
		}
		dark := map[[2]int]bool{}
		bar := regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`)
		for _, m := range bar.FindAllStringSubmatch(got.Path, -1) {
			for x := number(m[1]); x < number(m[1])+number(m[3]); x++ {
				dark[[2]int{x, number(m[2])}] = true
			}
			if m[3] != m[4] {
				t.Errorf("%s goes back by another way", m[0])
			}
		}
		if rest := bar.ReplaceAllString(got.Path, ""); rest != "" {
			t.Errorf("besides bars the path has %q", rest)
		}
		for x := range got.Size {
			for y := range got.Size {
				if r, _, _, _ := want.At(x, y).RGBA(); (r == 0) != dark[[2]int{x, y}] {
					t.Fatalf("module %d, %d is drawn wrong", x, y)
				}
			}
		}
	}
	if _, err := drawQR(strings.Repeat("x", 5000)); err == nil {
		t.Error("a text that no QR code holds is drawn")
	}
}

func number(text string) (n int) {
	for _, c := range text {
		n = 10*n + int(c-'0')
	}
	return n
}

// TestEveryEventOfAPersonHasWords: those of clients, keys and resources are nobody's own, and who is deleted reads none.
func TestEveryEventOfAPersonHasWords(t *testing.T) {
	kind := regexp.MustCompile(`"((?:signin|sessions?|user|consent|device|grants?|token|mail)\.[a-z_]+)"`)
	written, texts := map[string]bool{}, eventTexts()
	for _, root := range []string{"../../provider", "../../cmd"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, m := range kind.FindAllStringSubmatch(string(text), -1) {
				if !strings.HasSuffix(m[1], ".html") && !strings.HasSuffix(m[1], ".txt") && m[1] != "user.deleted" {
					written[m[1]] = true
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(written) < 20 {
		t.Fatalf("found %d kinds of events alone", len(written))
	}
	for one := range written {
		if texts[one] == "" {
			t.Errorf("the event %s has no words", one)
		}
	}
}

func TestTimesAreShownInThePersonsOwnZone(t *testing.T) {
	at := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for zone, want := range map[string]string{
		"": "2026-07-01 12:00 UTC", "Europe/Vienna": "2026-07-01 14:00 CEST", "Local": "2026-07-01 12:00 UTC", "No/Where": "2026-07-01 12:00 UTC", "../etc": "2026-07-01 12:00 UTC",
	} {
		if got := clock(storage.User{Profile: storage.Profile{Zoneinfo: zone}})(at); got.Text != want || got.Stamp != "2026-07-01T12:00:00Z" {
			t.Errorf("%q: %+v, want %s", zone, got, want)
		}
	}
	if got := clock(storage.User{})(time.Time{}); got != (moment{}) {
		t.Errorf("no time is %+v", got)
	}
}
