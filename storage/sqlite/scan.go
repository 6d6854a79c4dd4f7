package sqlite

import (
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/signet-idp/signet/storage"
)

// instant reads clock as the store keeps times: UTC, microseconds.
func instant(clock func() time.Time) time.Time { return clock().UTC().Truncate(time.Microsecond) }

// micros is a time as its column keeps it; the zero time is NULL.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// optional is an ID whose zero is NULL.
func optional(id storage.ID) any {
	if id.IsZero() {
		return nil
	}
	return id[:]
}

// optionalDigest is a digest whose zero is NULL.
func optionalDigest(d storage.Digest) any {
	if d.IsZero() {
		return nil
	}
	return d[:]
}

// digestList is digests as one argument of a query: json_each gives them back in their order, in hexadecimal.
func digestList(digests []storage.Digest) record {
	list := make([]string, len(digests))
	for i, d := range digests {
		list[i] = hex.EncodeToString(d[:])
	}
	return record{list}
}

// waiting is w as its column keeps it, with times as the store keeps them; nil is NULL.
func waiting(w *storage.Waiting) any {
	if w == nil {
		return nil
	}
	kept := *w
	kept.SessionEnds, kept.PolledAt = kept.SessionEnds.UTC().Truncate(time.Microsecond), kept.PolledAt.UTC().Truncate(time.Microsecond)
	return record{kept}
}

// blob is bytes for a column that is never NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// timeColumn scans what micros wrote.
type timeColumn time.Time

// intoTime scans a time column into t.
func intoTime(t *time.Time) *timeColumn { return (*timeColumn)(t) }

// Scan implements sql.Scanner.
func (c *timeColumn) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*c = timeColumn{}
	case int64:
		*c = timeColumn(time.UnixMicro(v).UTC())
	default:
		return fmt.Errorf("a time column holds %T", src)
	}
	return nil
}

// idColumn scans an ID; NULL is the zero one.
type idColumn storage.ID

// intoID scans an ID column into id.
func intoID(id *storage.ID) *idColumn { return (*idColumn)(id) }

// Scan implements sql.Scanner.
func (c *idColumn) Scan(src any) error {
	*c = idColumn{}
	return exactly(c[:], src)
}

// digestColumn scans a Digest.
type digestColumn storage.Digest

// intoDigest scans a digest column into d.
func intoDigest(d *storage.Digest) *digestColumn { return (*digestColumn)(d) }

// Scan implements sql.Scanner.
func (c *digestColumn) Scan(src any) error {
	*c = digestColumn{}
	return exactly(c[:], src)
}

func exactly(dest []byte, src any) error {
	if src == nil {
		return nil
	}
	b, ok := src.([]byte)
	if !ok || len(b) != len(dest) {
		return fmt.Errorf("a column of %d bytes holds %T of another length", len(dest), src)
	}
	copy(dest, b)
	return nil
}

// record is a list or struct as its column keeps it: JSON.
type record struct{ v any }

// Value implements driver.Valuer.
func (r record) Value() (driver.Value, error) {
	text, err := json.Marshal(r.v)
	return string(text), err
}

// recordColumn scans what record wrote.
type recordColumn struct{ dest any }

// intoRecord scans a JSON column into dest, a pointer to a zero value. What is empty stays zero: one form, however it was given.
func intoRecord(dest any) recordColumn { return recordColumn{dest} }

// Scan implements sql.Scanner.
func (c recordColumn) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		return nil
	case string:
		if v == "null" || v == "[]" || v == "{}" {
			return nil
		}
		return json.Unmarshal([]byte(v), c.dest)
	default:
		return fmt.Errorf("a JSON column holds %T", src)
	}
}

// timesText is a list of times as its column keeps it: a JSON array of microseconds.
func timesText(times []time.Time) string {
	text := append(make([]byte, 0, 2+17*len(times)), '[')
	for i, t := range times {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, t.UnixMicro(), 10)
	}
	return string(append(text, ']'))
}

// timesColumn scans what timesText wrote.
type timesColumn []time.Time

// intoTimes scans a list of times into t.
func intoTimes(t *[]time.Time) *timesColumn { return (*timesColumn)(t) }

// Scan implements sql.Scanner.
func (c *timesColumn) Scan(src any) error {
	var list []int64
	if err := intoRecord(&list).Scan(src); err != nil {
		return err
	}
	*c = nil
	for _, v := range list {
		*c = append(*c, time.UnixMicro(v).UTC())
	}
	return nil
}
