package mail

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"unicode"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// messageFiles hold the texts, one file active.TAG.json for each language. A language is added by adding its file; what it lacks is
// said in English.
//
//go:embed messages/*.json
var messageFiles embed.FS

// tongue is a language that mails are written in.
type tongue struct {
	tag, dir  string // for the lang and dir attributes
	localizer *i18n.Localizer
}

// tongues are the languages there are, English first.
type tongues struct {
	matcher language.Matcher
	each    []tongue
}

// loadTongues reads the message files of a folder.
func loadTongues(files fs.FS) (*tongues, error) {
	bundle := i18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("json", json.Unmarshal)
	names, err := fs.Glob(files, "messages/active.*.json")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if _, err := bundle.LoadMessageFileFS(files, name); err != nil {
			return nil, fmt.Errorf("mail: read the texts of %s: %w", name, err)
		}
	}
	tags := bundle.LanguageTags()
	t := &tongues{matcher: language.NewMatcher(tags)}
	for _, tag := range tags {
		t.each = append(t.each, tongue{tag.String(), direction(tag), i18n.NewLocalizer(bundle, tag.String())})
	}
	return t, nil
}

// direction is the one that the language's script is written in.
func direction(tag language.Tag) string {
	switch script, _ := tag.Script(); script.String() {
	case "Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm", "Rohg", "Mand", "Samr":
		return "rtl"
	}
	return "ltr"
}

// choose takes the language that fits the person's locale claim best.
func (t *tongues) choose(locale string) tongue {
	tag, err := language.Parse(locale)
	if err != nil {
		return t.each[0]
	}
	if _, i, confidence := t.matcher.Match(tag); confidence > language.No {
		return t.each[i]
	}
	return t.each[0]
}

// text is the message id with values.
func (t tongue) text(id string, values map[string]string) (string, error) {
	text, err := t.localizer.Localize(&i18n.LocalizeConfig{MessageID: id, TemplateData: values})
	if _, missing := err.(*i18n.MessageNotFoundErr); missing && text != "" { //nolint:errorlint // the library returns it bare
		err = nil // said in English
	}
	if err != nil {
		return "", fmt.Errorf("mail: the text %s: %w", id, err)
	}
	return text, nil
}

// isolated is a value that keeps its own direction and does not turn what stands around it (Unicode UAX 9, FSI and PDI). ASCII needs
// none of that among what is written from left to right. Addresses to follow stay as they are: mail programs would take PDI for a part.
func (t tongue) isolated(value string) string {
	if value == "" || t.dir == "ltr" && !strings.ContainsFunc(value, func(r rune) bool { return r > unicode.MaxASCII }) {
		return value
	}
	return "\u2068" + value + "\u2069"
}
