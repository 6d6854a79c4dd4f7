// Package provider is the protocol: an OAuth 2.0 authorization server and OpenID provider on net/http alone. It wires its rooms
// to a store, offers its route table to whoever serves it (package web does, on Gin), and runs the upkeep in the background.
package provider
