package account

import (
	"testing"

	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
)

// TestQueueKeyIsOneSubscriber: in the queue for password hashes an IPv6 subscriber is one caller, however many addresses it has.
func TestQueueKeyIsOneSubscriber(t *testing.T) {
	t.Parallel()
	one, other := throttle.Caller{Address: "2001:db8::1"}, throttle.Caller{Address: "2001:db8::ffff"}
	if queueKey(one) != queueKey(other) {
		t.Errorf("two addresses of one /64 are %q and %q", queueKey(one), queueKey(other))
	}
	if next := (throttle.Caller{Address: "2001:db8:0:1::1"}); queueKey(one) == queueKey(next) {
		t.Error("two subscribers are one caller")
	}
	if got := queueKey(throttle.Caller{Address: "192.0.2.1", ClientID: "shop"}); got != "shop" {
		t.Errorf("a confidential client is %q in the queue", got)
	}
}

func TestASubscriberIsOneCallerInTheQueueWhicheverAddressIsUsed(t *testing.T) {
	t.Parallel()
	by := func(address string) By { return By{Actor: "ada", Seen: storage.Seen{Address: address}} }
	if a, b := by("2001:db8::1").queueKey(), by("2001:db8::2").queueKey(); a != b {
		t.Errorf("two addresses of one network are %q and %q", a, b)
	}
	if a, b := by("192.0.2.1").queueKey(), by("192.0.2.2").queueKey(); a == b || by("").queueKey() != "ada" {
		t.Errorf("%q, %q and %q", a, b, by("").queueKey())
	}
}
