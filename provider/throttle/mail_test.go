package throttle

import (
	"fmt"
	"testing"
)

func TestMailIsBoundedByAddressAndByNetwork(t *testing.T) {
	t.Parallel()
	l, _, clock := open(t)
	for i := range mailBurst { // from wherever they are asked for
		must(t, l.Mail(t.Context(), "ada@example.org", home(i)))
	}
	refusal := slowed(t, l.Mail(t.Context(), "ada@example.org", home(9)))
	check(t, refusal.RetryAfter == mailEvery, "the fourth may go after %v", refusal.RetryAfter)
	clock.pass(mailEvery)
	must(t, l.Mail(t.Context(), "ada@example.org", home(10)))

	for i := range askBurst {
		must(t, l.Mail(t.Context(), fmt.Sprint(i, "@example.org"), Caller{Address: fmt.Sprintf("2001:db8::%d", i+1), ClientID: fmt.Sprint(i)}))
	}
	refusal = slowed(t, l.Mail(t.Context(), "nobody@example.org", Caller{Address: "2001:db8::99"}))
	check(t, refusal.RetryAfter == askEvery, "the sixth may go after %v", refusal.RetryAfter)
	must(t, l.Mail(t.Context(), "nobody@example.org", Caller{Address: "2001:db8:0:1::1"}))
}
