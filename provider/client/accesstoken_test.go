package client

import (
	"strings"
	"testing"

	"github.com/signet-idp/signet/storage"
)

// TestTheOlderAccessTokenStandsBesideTheNewestUntilThatIsUsed: and any other stands nowhere.
func TestTheOlderAccessTokenStandsBesideTheNewestUntilThatIsUsed(t *testing.T) {
	t.Parallel()
	first, kept := makeAccessToken(storage.Digest{})
	if presents(first, kept) != onlyToken || presents("", kept) != noToken || presents(first, storage.Digest{}) != noToken || presents("", storage.Digest{}) != noToken {
		t.Error("one token alone")
	}
	lost, kept := makeAccessToken(kept)
	second, kept := makeAccessToken(kept)
	for token, want := range map[string]standing{first: olderToken, lost: noToken, second: newestToken} {
		if got := presents(token, kept); got != want {
			t.Errorf("standing %d, want %d", got, want)
		}
	}
	used := alone(kept[half:])
	for token, want := range map[string]standing{first: noToken, lost: noToken, second: onlyToken} {
		if got := presents(token, used); got != want {
			t.Errorf("after its use: standing %d, want %d", got, want)
		}
	}
	for _, other := range []string{strings.TrimPrefix(second, AccessTokenPrefix), InitialTokenPrefix + second[4:], second + "A", second[:20]} {
		if presents(other, used) != noToken {
			t.Errorf("%q passes", other)
		}
	}
}
