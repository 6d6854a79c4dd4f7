package main

import (
	"context"
	"fmt"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/storage"
)

// shortRecovery is a wait in which a person easily hears of nothing.
const shortRecovery = day

// checkAccounts judges what people may do for themselves by whether they hear of it.
func (d *doctor) checkAccounts() {
	signUp, recovery := account.SignUp(d.settings.SignUp), time.Duration(d.settings.FactorRecovery)
	mails := d.settings.SMTPURL != ""
	before := len(d.findings)
	if signUp == account.SignUpOn && !mails {
		d.warn("accounts", "SIGNET_SIGN_UP is on, and there is no mail server", "nobody can sign up: the link to go on with comes by mail",
			"set SIGNET_SMTP_URL and SIGNET_MAIL_FROM, or SIGNET_SIGN_UP=invite and hand out links with: signet user invite EMAIL")
	}
	if recovery > 0 && !mails {
		d.warn("accounts", "SIGNET_SECOND_FACTOR_RECOVERY is on, and there is no mail server",
			"who has a password is rid of the second factor after the wait, and its owner does not hear of it",
			"set SIGNET_SMTP_URL and SIGNET_MAIL_FROM, or SIGNET_SECOND_FACTOR_RECOVERY=off")
	}
	if recovery > 0 && recovery < shortRecovery {
		d.warn("accounts", fmt.Sprintf("SIGNET_SECOND_FACTOR_RECOVERY is %s", recovery),
			"who does not read mails for a day cannot stop somebody else's recovery", "wait longer, such as 72h")
	}
	if len(d.findings) > before {
		return
	}
	lost := "who lost every second factor needs an administrator"
	if recovery > 0 {
		lost = fmt.Sprintf("who lost every second factor is rid of them after %s", recovery)
	}
	d.ok("accounts", "sign-up is %s; %s", signUp, lost)
}

// auditPatience is how long an event may wait for its place in the audit chain; a server gives it within seconds.
const auditPatience = 5 * time.Minute

// checkAudit sees that somebody gives events their places. Whether they are as they were written is signet audit verify's to say.
func (d *doctor) checkAudit(ctx context.Context, store storage.Store) {
	events, _, err := store.UnchainedEvents(ctx, 1)
	if err != nil {
		d.fail("audit", oneLine(err), "the events could not be read", "run this again")
		return
	}
	now, err := store.Ping(ctx)
	if err != nil {
		d.fail("audit", oneLine(err), "the database went away during the check", "run this again")
		return
	}
	if len(events) > 0 && now.Sub(events[0].At) > auditPatience {
		d.warn("audit", "an event of "+events[0].At.Format(time.RFC3339)+" has no place in the audit chain",
			"until it has one, nobody sees that it was edited or removed", "let a server run; if one does, its log says why its upkeep fails")
		return
	}
	d.ok("audit", "events get their places in the chain; 'signet audit verify' compares them with it")
}
