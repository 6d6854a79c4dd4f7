package pages

import "testing"

func TestACodeMayBeTypedWithTheDigitsOfAnotherKeyboard(t *testing.T) {
	for _, typed := range []string{"0123456789", "٠١٢٣ ٤٥٦٧٨٩", "۰۱۲۳-۴۵۶۷۸۹"} {
		if got := withoutSpace(typed); got != "0123456789" {
			t.Errorf("%q is read as %q", typed, got)
		}
	}
}
