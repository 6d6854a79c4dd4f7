package oauth

import "strings"

// AgentName is what people call the browser of a User-Agent, and its system; "" for one that is not known.
func AgentName(agent string) string {
	first := func(marks [][2]string) string { // in the order of asking: browsers claim to be each other
		for _, mark := range marks {
			if strings.Contains(agent, mark[0]) {
				return mark[1]
			}
		}
		return ""
	}
	program := first([][2]string{
		{"Edg", "Edge"},
		{"OPR/", "Opera"},
		{"SamsungBrowser/", "Samsung Internet"},
		{"Vivaldi/", "Vivaldi"},
		{"FxiOS/", "Firefox"},
		{"Firefox/", "Firefox"},
		{"CriOS/", "Chrome"},
		{"Chrome/", "Chrome"},
		{"Version/", "Safari"},
	})
	system := first([][2]string{
		{"iPhone", "iPhone"},
		{"iPad", "iPad"},
		{"Android", "Android"},
		{"CrOS", "ChromeOS"},
		{"Windows", "Windows"},
		{"Macintosh", "macOS"},
		{"Linux", "Linux"},
	})
	if program != "" && system != "" {
		return program + ", " + system
	}
	return program
}
