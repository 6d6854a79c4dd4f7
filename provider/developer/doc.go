// Package developer is what people do with apps of their own: who may, which apps are theirs, what they may set about them, and what
// they are told of how their apps fare.
//
// One function (rule.go) says who may do what with an app, and every method asks it about the row that is then written: an app that an
// operator switches off is not switched on by who looked a moment earlier. What a registration may be is the protocol's to say
// (provider/client); what of it a developer may not set is said here (limits.go), by name.
package developer
