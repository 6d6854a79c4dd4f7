package keys

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestADatabaseUnderAnotherIssuerSharesNoHandle(t *testing.T) {
	t.Parallel()
	root := make([]byte, handleRootSize)
	here, _ := NewHandleKey(1, root, issuer)
	there, _ := NewHandleKey(1, root, issuer+"/")
	if here.Tag("srt_", []byte("x")) == there.Tag("srt_", []byte("x")) {
		t.Error("the tags are equal")
	}
	a, b := make([]byte, 38), make([]byte, 38)
	here.Mask([TagSize]byte{}, a)
	there.Mask([TagSize]byte{}, b)
	if string(a) == string(b) {
		t.Error("the masks are equal")
	}
	sealed, err := here.Seal(nil, []byte("claims"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := there.Open(sealed, nil); !errors.Is(err, ErrTampered) {
		t.Errorf("the other issuer opens the access token: %v", err)
	}
}

func TestPrintingShowsNoKey(t *testing.T) {
	t.Parallel()
	root := []byte(strings.Repeat("secret! ", 8))
	handle, err := NewHandleKey(3, root, "https://id.example")
	if err != nil {
		t.Fatal(err)
	}
	s := sealer(t, base64.StdEncoding.EncodeToString(root[:31])[:42]+"g=")
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		for _, value := range []any{handle, &handle, s, *s, []HandleKey{handle}, struct{ S *Sealer }{s}} {
			if text := fmt.Sprintf(format, value); len(text) > 70 {
				t.Errorf("%s shows %s", format, text)
			}
		}
	}
}
