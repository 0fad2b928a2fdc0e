package campaign

import (
	"context"
	"time"

	"hongyan/app/model"
)

// Journal is the delivery journal as the runner sees it. Every method is safe for concurrent use. An error
// from a write that may have reached the disk leaves the journal unusable until it is opened again.
type Journal interface {
	Campaign(ctx context.Context, id int64) (*model.Campaign, error)
	SetCampaignState(ctx context.Context, id int64, s model.CampaignState, reason, detail string) error

	// Claim takes up to n deliveries that are queued, or deferred and due at now, oldest due first, and
	// leases them to this process: they are not handed out again before Settle or Release. The lease is
	// in memory only; on disk the rows stay as they are. What the last attempt said is not told.
	Claim(ctx context.Context, campaignID int64, n int, now time.Time) ([]model.Delivery, error)
	// Release gives claimed deliveries back untouched.
	Release(campaignID int64, ids []int64)
	// Intend makes a delivery attempting, with account and time. It returns at once with a Pending whose
	// Wait returns when the row is durable (synchronous=FULL, group commit).
	Intend(deliveryID, accountID int64, at time.Time) Pending
	// Hasten is Intend for an account without limits, whose letters leave as fast as its server takes them. The
	// journal may then make intents durable before they are asked for, so that Wait has nothing to wait for. After
	// a crash of the process it still tells who had begun; after a power failure more may be unknown than had.
	Hasten(deliveryID, accountID int64, at time.Time) Pending
	// Settle records how an attempt ended, durable within about 50 ms or 64 rows, more where letters
	// leave fast. It is idempotent. The
	// lease ends. When writing fails the outcome is kept in memory and tried again; Err tells.
	Settle(o model.Outcome)
	// Flush returns when every Settle before it is durable.
	Flush(ctx context.Context) error
	// Err is the standing fault of the journal (disk full, read-only, damaged), or nil. While it is not
	// nil, no letter may be started.
	Err() error

	Counts(ctx context.Context, campaignID int64) (model.Counts, error)
	// NextWake is the earliest time at which a deferred delivery is due; ok is false when there is none.
	NextWake(ctx context.Context, campaignID int64) (t time.Time, ok bool, err error)

	// RecentAttempts gives the times of an account's attempts after since, in any campaign, ascending.
	RecentAttempts(ctx context.Context, accountID int64, since time.Time) ([]time.Time, error)
	// RecentRecipients gives whom a campaign wrote to by an account after since, ascending by the time.
	RecentRecipients(ctx context.Context, campaignID, accountID int64, since time.Time) ([]model.Begun, error)
	Clock(ctx context.Context, accountID int64) (model.Clock, error)
	SetClock(ctx context.Context, c model.Clock) error
}

// Pending is a write on its way to the disk.
type Pending = model.Pending

// Suppressor is asked at the moment of sending, not only when the audience is frozen.
type Suppressor interface {
	Suppressed(ctx context.Context, email string) (reason string, yes bool, err error)
	// Suppress adds an address that turned out dead.
	Suppress(ctx context.Context, s model.Suppression) error
}
