package ui

import (
	"context"

	"hongyan/app/model"
)

// DeadDomain is a domain that takes no mail; Key is why, a text.
type DeadDomain struct {
	Domain, Key string
	People      []int64
}

// DomainReport tells which domains of some people take mail.
type DomainReport struct {
	Domains, People int
	Dead            []DeadDomain // with the most people first
	Unknown         int          // domains that nothing was found out about
	Offline         bool         // nothing could be asked
}

// DomainService asks whether the domains of addresses take mail at all.
type DomainService interface {
	LookUpDomains(ctx context.Context, q model.ContactQuery, progress func(done, total int)) (DomainReport, error)
}
