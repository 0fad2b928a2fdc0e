package app

import (
	"context"
	"strings"

	"hongyan/app/model"
)

// freezeChunk is how many recipients are put into the journal in one transaction.
const freezeChunk = 2_000

// suppressed is the suppression list in memory: one look-up a recipient instead of one query. A domain stands for
// those below it too.
type suppressed map[string]struct{}

func (a *App) loadSuppressed(ctx context.Context) (suppressed, error) {
	all, err := a.store.Suppressions(ctx)
	if err != nil {
		return nil, err
	}
	s := make(suppressed, len(all))
	for _, e := range all {
		s[e.Key] = struct{}{}
	}
	return s, nil
}

func (s suppressed) has(email string) bool {
	if _, yes := s[email]; yes {
		return true
	}
	for domain := email[strings.LastIndexByte(email, '@')+1:]; domain != ""; {
		if _, yes := s["@"+domain]; yes {
			return true
		}
		_, domain, _ = strings.Cut(domain, ".")
	}
	return false
}

// skipReason tells why a person is left out of every campaign, or "".
func skipReason(c *model.Contact, s suppressed) string {
	switch {
	case !strings.Contains(c.Email, "@"):
		return "invalid"
	case s.has(c.Email):
		return "suppressed"
	case strings.TrimSpace(c.Consent) == "":
		return "consent"
	}
	return ""
}

// audience copies the people of a list (0: everybody) whom a segment (0: none) chooses, as they are now, into the
// journal of a draft, and says whether there is somebody to write to.
func (a *App) audience(ctx context.Context, camp *model.Campaign, segmentID int64) (some bool, err error) {
	supp, err := a.loadSuppressed(ctx)
	if err != nil {
		return false, err
	}
	chunk := make([]model.Delivery, 0, freezeChunk)
	flush := func() error {
		if len(chunk) == 0 {
			return nil
		}
		err := a.store.AddDeliveries(ctx, camp.ID, chunk)
		chunk = chunk[:0]
		return err
	}
	err = a.People(ctx, camp.ListID, segmentID, func(c *model.Contact) error {
		d := model.Delivery{CampaignID: camp.ID, ContactID: c.ID, Email: c.Email, Address: c.Address, Name: c.Name, Fields: c.Fields,
			State: model.Queued, UpdatedAt: a.now()}
		if why := skipReason(c, supp); why != "" {
			d.State, d.Reason = model.Skipped, why
		} else {
			some = true
		}
		if chunk = append(chunk, d); len(chunk) < freezeChunk {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	return some, err
}
