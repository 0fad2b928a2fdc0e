package journaltest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"hongyan/app/model"
)

// Store is a delivery journal with what fills it: campaign.Journal and app.CampaignStore.
type Store interface {
	Campaign(ctx context.Context, id int64) (*model.Campaign, error)
	SetCampaignState(ctx context.Context, id int64, s model.CampaignState, reason, detail string) error
	Claim(ctx context.Context, campaignID int64, n int, now time.Time) ([]model.Delivery, error)
	Release(campaignID int64, ids []int64)
	Intend(deliveryID, accountID int64, at time.Time) model.Pending
	Hasten(deliveryID, accountID int64, at time.Time) model.Pending
	Settle(o model.Outcome)
	Flush(ctx context.Context) error
	Err() error
	Counts(ctx context.Context, campaignID int64) (model.Counts, error)
	NextWake(ctx context.Context, campaignID int64) (t time.Time, ok bool, err error)
	RecentAttempts(ctx context.Context, accountID int64, since time.Time) ([]time.Time, error)
	RecentRecipients(ctx context.Context, campaignID, accountID int64, since time.Time) ([]model.Begun, error)
	Clock(ctx context.Context, accountID int64) (model.Clock, error)
	SetClock(ctx context.Context, c model.Clock) error

	CreateCampaign(ctx context.Context, c *model.Campaign) error
	AddDeliveries(ctx context.Context, campaignID int64, ds []model.Delivery) error
	Freeze(ctx context.Context, campaignID int64) error
	Campaigns(ctx context.Context) ([]model.Campaign, error)
	CampaignByName(ctx context.Context, name string) (*model.Campaign, error)
	RemoveDraft(ctx context.Context, campaignID int64) error
	Deliveries(ctx context.Context, q model.DeliveryQuery) ([]model.Delivery, error)
	Attempts(ctx context.Context, deliveryID int64) ([]model.Attempt, error)
	Requeue(ctx context.Context, campaignID int64, from ...model.State) (int, error)
}

// Factory makes the stores that the suite is run on. The stores are its own to close.
type Factory struct {
	// Open gives a new, empty store.
	Open func(t testing.TB) Store
	// Crash ends a store as a kill of its process would, and opens what it left behind.
	Crash func(t testing.TB, s Store) Store
	// Hasten is set where letters are to leave by Hasten, not by Intend.
	Hasten bool
}

// intend is Intend, or Hasten.
func (f Factory) intend(s Store, deliveryID, accountID int64, at time.Time) model.Pending {
	if f.Hasten {
		return s.Hasten(deliveryID, accountID, at)
	}
	return s.Intend(deliveryID, accountID, at)
}

// Run runs the suite.
func Run(t *testing.T, f Factory) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Factory)
	}{
		{"Campaigns", testCampaigns},
		{"CampaignStates", testCampaignStates},
		{"Audience", testAudience},
		{"RemoveDraft", testRemoveDraft},
		{"Pages", testPages},
		{"ClaimOrder", testClaimOrder},
		{"Lease", testLease},
		{"Intend", testIntend},
		{"Settle", testSettle},
		{"SettleWithoutIntent", testSettleWithoutIntent},
		{"SettleBeforeIntentIsDurable", testSettleBeforeIntent},
		{"NextWake", testNextWake},
		{"RecentAttempts", testRecentAttempts},
		{"Clocks", testClocks},
		{"Requeue", testRequeue},
		{"RequeuePassesOverLeased", testRequeueLeased},
		{"Crash", testCrash},
		{"ConcurrentClaims", testConcurrentClaims},
		{"Model", testModel},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, f) })
	}
}

var ctx = context.Background()

// at is a moment, to the millisecond as journals keep it.
func at(seconds int) time.Time {
	return time.UnixMilli(1_790_000_000_000 + int64(seconds)*1000)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t testing.TB, err error, code model.Code) {
	t.Helper()
	if model.CodeOf(err) != code {
		t.Fatalf("error %v, want code %q", err, code)
	}
}

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("%s (-want +got):\n%s", what, d)
	}
}

// recipient is the n-th of an audience.
func recipient(n int) model.Delivery {
	e := fmt.Sprintf("r%03d@example.com", n)
	return model.Delivery{ContactID: int64(n + 1), Email: e, Address: e, State: model.Queued, UpdatedAt: at(0)}
}

// ready makes a frozen campaign of n recipients and gives its id.
func ready(t testing.TB, s Store, name string, n int) int64 {
	t.Helper()
	c := &model.Campaign{Name: name, CreatedAt: at(0)}
	must(t, s.CreateCampaign(ctx, c))
	ds := make([]model.Delivery, n)
	for i := range ds {
		ds[i] = recipient(i)
	}
	must(t, s.AddDeliveries(ctx, c.ID, ds))
	must(t, s.Freeze(ctx, c.ID))
	return c.ID
}

func claim(t testing.TB, s Store, campaign int64, n int, now time.Time) []model.Delivery {
	t.Helper()
	ds, err := s.Claim(ctx, campaign, n, now)
	must(t, err)
	return ds
}

func ids(ds []model.Delivery) []int64 {
	all := make([]int64, len(ds))
	for i, d := range ds {
		all[i] = d.ID
	}
	return all
}

func flush(t testing.TB, s Store) {
	t.Helper()
	must(t, s.Flush(ctx))
}

func counts(t testing.TB, s Store, campaign int64) model.Counts {
	t.Helper()
	c, err := s.Counts(ctx, campaign)
	must(t, err)
	if sum := c.Queued + c.Attempting + c.Accepted + c.Deferred + c.Rejected + c.Unknown + c.Skipped; sum != c.Total {
		t.Fatalf("%+v adds up to %d", c, sum)
	}
	return c
}

// delivery reads one delivery of a campaign.
func delivery(t testing.TB, s Store, campaign, id int64) model.Delivery {
	t.Helper()
	ds, err := s.Deliveries(ctx, model.DeliveryQuery{CampaignID: campaign, AfterID: id - 1, Limit: 1})
	must(t, err)
	if len(ds) != 1 || ds[0].ID != id {
		t.Fatalf("delivery %d is not there: %+v", id, ds)
	}
	return ds[0]
}

func history(t testing.TB, s Store, id int64) []model.Attempt {
	t.Helper()
	as, err := s.Attempts(ctx, id)
	must(t, err)
	return as
}
