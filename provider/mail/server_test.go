package mail

import (
	"fmt"
	"strings"
	"testing"
)

func TestAServersURLIsReadWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"smtp://mail.example.com":                   "mail.example.com:587",
		"smtps://mail.example.com":                  "mail.example.com:465",
		"smtp://mail.example.com:25/":               "mail.example.com:25",
		"smtp://ada:pa%3Ass@mail.example.com:2525":  "mail.example.com:2525",
		"smtps://ada%40example.com:x@[2001:db8::1]": "[2001:db8::1]:465",
	} {
		if s, err := ParseServer(text); err != nil || s.String() != want || s.Authenticates() != strings.Contains(text, "@") {
			t.Errorf("%s: %s, %v", text, s, err)
		}
	}
	for _, text := range []string{
		"", "mail.example.com:25", "http://mail.example.com", "smtp://", "smtp://:25", "smtp://mail.example.com/x", "smtp://mail.example.com?tls=no",
		"smtp://mail.example.com#x", "smtp://mail.example.com:0", "smtp://mail.example.com:65536", "smtp://mail.example.com:smtp", "smtp:mail.example.com",
		"smtp://hunter2@mail.example.com", "smtp://:hunter2@mail.example.com", "smtp://ada:hunter2%0d%0aNOOP@mail.example.com",
		"smtp://ada:hunter2%zz@mail.example.com", "smtp://ada:hunter2#1@mail.example.com",
	} {
		if s, err := ParseServer(text); err == nil {
			t.Errorf("%s is taken for %s", text, s)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
	s, err := ParseServer("smtp://ada:hunter2@mail.example.com")
	if err != nil {
		t.Fatal(err)
	}
	if all := fmt.Sprintf("%v %+v %#v %s", s, s, s, s); strings.Contains(all, "hunter2") {
		t.Errorf("a server tells its password: %s", all)
	}
}

func TestTheSenderIsOneAddressInASCII(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"no-reply@example.com", "Example <no-reply@example.com>", "Beispiel für alle <no-reply@example.com>"} {
		if a, err := ParseFrom(text); err != nil || a.Address != "no-reply@example.com" {
			t.Errorf("%s: %v, %v", text, a, err)
		}
	}
	for _, text := range []string{
		"", "example.com", "no-reply", "a@b.example, c@d.example", "<>", "a@b.example\r\nBcc: c@d.example", "A\r\nBcc: c@d.example <a@b.example>",
		`"a b"@example.com`, "dörte@example.com", "ada@bücher.example",
	} {
		if a, err := ParseFrom(text); err == nil {
			t.Errorf("%q is taken for %v", text, a)
		}
	}
}

func TestWeGreetByTheIssuersHost(t *testing.T) {
	t.Parallel()
	for issuer, want := range map[string]string{
		"https://id.example.com": "id.example.com", "https://id.example.com:8443/tenant": "id.example.com", "http://localhost:8080": "localhost",
		"http://127.0.0.1:8080": "[127.0.0.1]", "http://[::1]:8080": "[IPv6:::1]", "https://bücher.example": "xn--bcher-kva.example",
	} {
		if got := ownName(issuer); got != want {
			t.Errorf("%s: %s, want %s", issuer, got, want)
		}
	}
}
