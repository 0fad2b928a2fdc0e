package bridge

import (
	"context"

	"hongyan/app"
	"hongyan/app/model"
	"hongyan/ui"
)

// Prospect implements ui.RecipientService.
func (b *Bridge) Prospect(ctx context.Context, in ui.ImportInput, spec model.ImportSpec) (model.Prospect, error) {
	src, err := b.source(in)
	if err != nil {
		return model.Prospect{}, err
	}
	defer func() { _ = src.Close() }()
	return b.App.Prospect(ctx, src, spec)
}

// ResumeImport implements ui.RecipientService: the file is read where it was.
func (b *Bridge) ResumeImport(ctx context.Context, im model.Import, progress func(done, total int64)) (model.ImportReport, error) {
	defer giveBack()
	return b.App.ResumeImport(ctx, im.ID, nil, progress)
}

// LookUpDomains implements ui.DomainService.
func (b *Bridge) LookUpDomains(ctx context.Context, q model.ContactQuery, progress func(done, total int)) (ui.DomainReport, error) {
	r, err := b.App.LookUpDomains(ctx, q, progress)
	return ui.DomainReport{Domains: r.Domains, People: r.People, Unknown: r.Unknown, Offline: r.Offline, Dead: mapped(r.Dead, func(d app.DeadDomain) ui.DeadDomain {
		return ui.DeadDomain{Domain: d.Domain, Key: "domain." + string(d.Fault), People: d.People}
	})}, err
}
