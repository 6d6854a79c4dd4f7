package pages

import (
	"net/http"
	"strings"

	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/developer"
)

// developerDelete deletes an app, once its name has been typed.
type developerDelete struct{ ofApp }

func (developerDelete) template() string { return "developer_delete" }

func showDeleteApp(x *exchange) error {
	p, app, err := x.developingApp(authorize.DeveloperDelete)
	if p == nil || err != nil {
		return err
	}
	return x.showDeleteApp(p, app, http.StatusOK, "")
}

func (x *exchange) showDeleteApp(p *authorize.Passage, app developer.App, status int, problem string) error {
	var page developerDelete
	var err error
	if page.ofApp, err = x.ofApp(p, app, authorize.DeveloperDelete); err != nil {
		return err
	}
	page.Problem = problem
	return x.show(status, page)
}

func deleteApp(x *exchange) error {
	p, app, err := x.developingApp(authorize.DeveloperDelete)
	if p == nil || err != nil {
		return err
	}
	if strings.TrimSpace(x.params.Get("app_name")) != clientName(app.Client) {
		return x.showDeleteApp(p, app, http.StatusUnprocessableEntity, x.text("developer.delete.unsure"))
	}
	if err := x.developers.Delete(x.ctx(), x.asDeveloper(p), app.Client.ID); err != nil {
		return x.appFailed(err, func(status int, problem string) error { return x.showDeleteApp(p, app, status, problem) })
	}
	return x.to(authorize.DeveloperApps, "deleted")
}
