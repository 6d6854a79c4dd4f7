package pages

import "net/http"

// showSetUp is where the link of an empty server leads. Without one it says how to get it, and nothing of the server.
func showSetUp(x *exchange) error {
	if landed, err := x.land(); landed || err != nil {
		return err
	}
	if x.params.Get("pass") == "" {
		return x.show(http.StatusOK, noticePage{Heading: "setup.none_title", Text: "setup.none", Command: "signet setup-link"})
	}
	return showJoin(x, true)
}

func setUp(x *exchange) error { return join(x, true) }
