// Package pages is what people see: sign-in, second factor, consent, device and sign-out, rendered on the server and working without
// JavaScript. Each file is one page action; render.go holds what they share.
//
// A page does its one thing and sends the browser back to the hub, the authorization endpoint, which decides what comes next. Pages
// never call one another, and none decides anything that a token depends on: that is provider/authorize's.
//
// Every template is executed in every language when the program starts (samples.go), so that a missing field stops the start and not
// a person.
package pages
