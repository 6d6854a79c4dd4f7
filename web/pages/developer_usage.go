package pages

import (
	"fmt"
	"strings"
	"time"

	"github.com/signet-idp/signet/storage"
)

// usageDays is how many days the figures are of.
const usageDays = 30

// The measures of a drawing of bars, one for each day.
const (
	barWidth  = 3
	barGap    = 1
	barHeight = 24
)

// figure is a number of 30 days, and how it was spread over them. Heading names a message.
type figure struct {
	Heading string
	Total   int64
	View    string // viewBox
	Bars    string // path data
	Spoken  string // what the drawing shows
}

// dayView is what happened on a day.
type dayView struct {
	Day                       string
	SignIns, Tokens, Failures int64
}

// figures draws the last 30 days; today, in now, is the last.
func (x *exchange) figures(days []storage.ClientUsage, now time.Time) []figure {
	today := now.UTC().Truncate(24 * time.Hour)
	draw := func(heading string, of func(storage.ClientUsage) int64) figure {
		f := figure{Heading: heading, View: fmt.Sprintf("0 0 %d %d", usageDays*(barWidth+barGap), barHeight)}
		var each [usageDays]int64
		var most int64
		best := ""
		for _, d := range days {
			ago := int(today.Sub(d.Day.UTC()) / (24 * time.Hour))
			n := of(d)
			if ago < 0 || ago >= usageDays || n <= 0 {
				continue
			}
			each[usageDays-1-ago] = n
			f.Total += n
			if n > most {
				most, best = n, d.Day.UTC().Format(time.DateOnly)
			}
		}
		f.Bars = bars(each[:], most)
		if f.Spoken = x.text("developer.usage.none"); most > 0 {
			f.Spoken = x.text("developer.usage.most", "Number", fmt.Sprint(most), "Day", best)
		}
		return f
	}
	return []figure{
		draw("developer.usage.sign_ins", func(u storage.ClientUsage) int64 { return u.SignIns }),
		draw("developer.usage.tokens", func(u storage.ClientUsage) int64 { return u.Tokens }),
		draw("developer.usage.failures", func(u storage.ClientUsage) int64 { return u.Failures }),
	}
}

// bars draws a bar for each number, beside each other; the smallest can be seen.
func bars(each []int64, most int64) string {
	var path strings.Builder
	for i, n := range each {
		height := 1
		if n > 0 {
			height = max(2, int(n*barHeight/most))
		}
		fmt.Fprintf(&path, "M%d %dh%dv%dh-%dz", i*(barWidth+barGap), barHeight-height, barWidth, height, barWidth)
	}
	return path.String()
}

func dayViews(days []storage.ClientUsage) (views []dayView) {
	for _, d := range days {
		views = append(views, dayView{d.Day.UTC().Format(time.DateOnly), d.SignIns, d.Tokens, d.Failures})
	}
	return views
}
