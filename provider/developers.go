package provider

import (
	"context"
	"slices"

	"github.com/signet-idp/signet/provider/developer"
)

// Developers is who may have apps of their own. Its zero value lets nobody.
type Developers struct {
	Policy developer.Policy // "": off
	Apps   int              // that one person may have; 0: 20
}

// maxApps is what one page lists.
const maxApps = 1000

// problems says what is wrong with d, each by the field of Config.
func (d Developers) problems(bad func(setting, format string, args ...any)) {
	if d.Policy != "" && !slices.Contains(developer.Policies(), d.Policy) {
		bad("Developers.Policy", "must be off, admins, approval or on")
	}
	if d.Apps < 0 || d.Apps > maxApps {
		bad("Developers.Apps", "must be between 1 and %d", maxApps)
	}
}

// Developers are the people with apps of their own, for pages.
func (p *Provider) Developers() *developer.Developers { return p.developers }

// SigningAlg is what access tokens are signed with where neither their client nor their resource wants another.
func (p *Provider) SigningAlg() string { return p.config.SigningAlg }

// sweepRecords removes what was noted of clients and is too old: refused requests, and figures.
func (p *Provider) sweepRecords(ctx context.Context) error {
	for _, sweep := range []func() (int, error){
		func() (int, error) { return p.store.SweepRefusals(ctx, sweepBatch, refusalKeep) },
		func() (int, error) { return p.store.SweepUsage(ctx, sweepBatch, usageKeep) },
	} {
		for range sweepMost {
			n, err := sweep()
			if err != nil {
				return err
			}
			if n < sweepBatch {
				break
			}
		}
	}
	return nil
}
