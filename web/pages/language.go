package pages

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"unicode"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// messageFiles hold the texts: files PART.TAG.json, of which every language has active.TAG.json. A language is added by adding its
// files; what it lacks is said in English.
//
//go:embed messages/*.json
var messageFiles embed.FS

// tongue is a language that pages are written in.
type tongue struct {
	Tag, Dir  string // for the lang and dir attributes
	localizer *i18n.Localizer
	plain     map[string]string // the messages without values: most of a page, and looked up once for all
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
	names, err := fs.Glob(files, "messages/*.*.json")
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for _, name := range names {
		file, err := bundle.LoadMessageFileFS(files, name)
		if err != nil {
			return nil, fmt.Errorf("read the texts of %s: %w", name, err)
		}
		for _, m := range file.Messages {
			ids[m.ID] = ids[m.ID] || strings.Contains(m.Other, "{{")
		}
	}
	tags := bundle.LanguageTags()
	t := &tongues{matcher: language.NewMatcher(tags)}
	for _, tag := range tags {
		in := tongue{tag.String(), direction(tag), i18n.NewLocalizer(bundle, tag.String()), map[string]string{}}
		for id, hasValues := range ids {
			if text, err := in.text(id); err == nil && !hasValues {
				in.plain[id] = text
			}
		}
		t.each = append(t.each, in)
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

// choose takes the language that fits best: what the app asked for (ui_locales), before what the person's own account says (locale;
// "" it says nothing, or nobody is known yet), before what the browser prefers (Accept-Language). It returns the index in each.
func (t *tongues) choose(uiLocales []string, locale, accept string) int {
	for _, texts := range [][]string{uiLocales, {locale}} {
		var wanted []language.Tag
		for _, text := range texts {
			if tag, err := language.Parse(text); err == nil {
				wanted = append(wanted, tag)
			}
		}
		if _, i, confidence := t.matcher.Match(wanted...); confidence > language.No {
			return i
		}
	}
	wanted, _, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		return 0
	}
	_, i, confidence := t.matcher.Match(wanted...)
	if confidence == language.No {
		return 0
	}
	return i
}

// Languages are the tags (BCP 47) of the languages that pages are written in, English first.
func Languages() []string {
	tags := []string{language.English.String()}
	names, _ := fs.Glob(messageFiles, "messages/active.*.json") // fails for a bad pattern alone
	for _, name := range names {
		tag := strings.TrimSuffix(strings.TrimPrefix(name, "messages/active."), ".json")
		if tag != tags[0] {
			tags = append(tags, tag)
		}
	}
	return tags
}

// text is the message id with the values that pairs name: name, value, name, value.
func (t tongue) text(id string, pairs ...any) (string, error) {
	if text, ok := t.plain[id]; ok {
		return text, nil
	}
	values, err := paired(pairs)
	if err != nil {
		return "", fmt.Errorf("message %s: %w", id, err)
	}
	for name, value := range values {
		if text, ok := value.(string); ok {
			values[name] = t.isolated(text)
		}
	}
	return t.localize(&i18n.LocalizeConfig{MessageID: id, TemplateData: values})
}

// isolated is a value that keeps its own direction and does not turn what stands around it (Unicode UAX 9, FSI and PDI). ASCII needs
// none of that among what is written from left to right.
func (t tongue) isolated(value string) string {
	if t.Dir == "ltr" && !strings.ContainsFunc(value, func(r rune) bool { return r > unicode.MaxASCII }) {
		return value
	}
	return "\u2068" + value + "\u2069"
}

// texts are the messages whose id begins with prefix, by the rest of it, as JSON: what a script says.
func (t tongue) texts(prefix string) (string, error) {
	said := map[string]string{}
	for id, text := range t.plain {
		if name, found := strings.CutPrefix(id, prefix); found {
			said[name] = text
		}
	}
	text, err := json.Marshal(said)
	return string(text), err
}

// count is the message id in the form that the language has for n.
func (t tongue) count(id string, n int) (string, error) {
	return t.localize(&i18n.LocalizeConfig{MessageID: id, PluralCount: n})
}

func (t tongue) localize(c *i18n.LocalizeConfig) (string, error) {
	text, err := t.localizer.Localize(c)
	if missing := (*i18n.MessageNotFoundErr)(nil); errors.As(err, &missing) && text != "" {
		err = nil // said in English
	}
	return text, err
}

// has reports whether there is a message id, at least in English.
func (t tongue) has(id string) bool {
	_, err := t.text(id)
	return err == nil
}

var errPairs = errors.New("values come in pairs of a name and a value")

func paired(pairs []any) (map[string]any, error) {
	values := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok || i+1 == len(pairs) {
			return nil, errPairs
		}
		values[name] = pairs[i+1]
	}
	return values, nil
}
