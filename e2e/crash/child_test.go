package crash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"testing"

	"hongyan/app/campaign"
	"hongyan/app/compose"
	"hongyan/app/model"
	"hongyan/smtpx"
	"hongyan/store"
)

// childEnv holds the order for a process that is to run a campaign; its presence makes the test's program that process.
const childEnv = "HONGYAN_CRASH_CHILD"

// order is what a child is to do.
type order struct {
	Dir      string
	Campaign int64
	Port     int
	Engine   string // a key of engines
}

// engines are the ways in which the engine speaks, and how many letters a connection may have under way in each.
var engines = map[string]struct {
	smtpx.Config
	depth int
}{
	"lockstep":        {smtpx.Config{NoPipelining: true}, 1},
	"pipelining":      {smtpx.Config{}, 1},
	"overlap":         {smtpx.Config{Overlap: true}, 2},
	"chunking":        {smtpx.Config{Overlap: true, ChunkWindow: 1}, 1},
	"chunking window": {smtpx.Config{ChunkWindow: 8}, 8},
}

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		if err := child(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child opens the folder, says how many letters are in doubt, and sends until the campaign is done.
func child(text string) error {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	ctx := context.Background()
	st, err := store.Open(ctx, o.Dir, store.Options{})
	if err != nil {
		return err
	}
	n, err := st.Counts(ctx, o.Campaign)
	if err != nil {
		return err
	}
	fmt.Println(n.Unknown)
	if n.Left() > 0 {
		if err := run(ctx, st, st, o); err != nil {
			return err
		}
	}
	return st.Close()
}

// run sends what is left of a campaign, through journal.
func run(ctx context.Context, st *store.Store, journal campaign.Journal, o order) error {
	camp, err := st.Campaign(ctx, o.Campaign)
	if err != nil {
		return err
	}
	var senders []model.Account
	for _, id := range camp.AccountIDs {
		a, err := st.Account(ctx, id)
		if err != nil {
			return err
		}
		senders = append(senders, *a)
	}
	letter, err := compose.Compile(camp.Letter, compose.Options{})
	if err != nil {
		return err
	}
	r := campaign.New(campaign.Config{
		CampaignID: camp.ID, Journal: journal, Suppressor: st, Accounts: campaign.NewAccounts(journal, nil), Senders: senders,
		Message: func(d model.Delivery, a model.Account) (campaign.Mail, error) {
			m, err := letter.Message(compose.Recipient{Email: d.Address, Name: d.Name, Fields: d.Fields},
				compose.Envelope{From: a.From, FromName: a.FromName, Date: camp.CreatedAt, MessageID: compose.MessageID(camp.Seed, d.Email, "example.com")})
			if err != nil {
				return campaign.Mail{}, err
			}
			return campaign.Mail{From: a.From, To: d.Address, Size: m.Size(), Body: func(w io.Writer) error {
				defer m.Release()
				_, err := m.WriteTo(w)
				return err
			}}, nil
		},
		Dial: func(ctx context.Context, a model.Account, id int64, trace func(smtpx.Event)) (campaign.Session, error) {
			c := engines[o.Engine].Config
			c.Host, c.Port, c.TLS, c.ConnID, c.Trace = "127.0.0.1", o.Port, smtpx.TLSNone, id, trace
			s, err := smtpx.Dial(ctx, &c)
			if err != nil {
				return nil, err
			}
			return s, nil
		},
	})
	if err := r.Run(ctx); err != nil {
		return err
	}
	if s := r.Snapshot(); s.State != model.CampaignDone {
		return errors.New("the campaign ended as " + string(s.State) + " " + s.Reason + " " + s.Detail)
	}
	return nil
}

// prepare makes a data folder with a campaign to n made-up people from an account with several connections. By the profile
// relay letters leave ahead of their commits once they leave fast.
func prepare(t *testing.T, n, connections int, profile model.Profile) (dir string, id int64) {
	t.Helper()
	dir = t.TempDir()
	st, err := store.Open(t.Context(), dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a := &model.Account{Name: "relay", From: "desk@example.com", Host: "127.0.0.1", Port: 25, TLS: model.TLSNone, Auth: model.AuthNone,
		Profile: profile, Limits: model.Limits{Connections: connections}}
	c := &model.Campaign{Name: "c", Seed: "5eed", Letter: model.Letter{Subject: "周六活动，{{name}}", Format: model.FormatMarkdown,
		Body: "{{name|朋友}}您好：\n\n我们在**{{city}}**见。\n\n.\n\n如不想再收到，请回复「退订」。"}}
	if err := st.SaveAccount(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	c.AccountIDs = []int64{a.ID}
	if err := st.CreateCampaign(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	ds := make([]model.Delivery, n)
	for i := range ds {
		k := strconv.Itoa(i)
		ds[i] = model.Delivery{Email: "user" + k + "@example.org", Name: "示例" + k, Fields: map[string]string{"city": "上海"}, State: model.Queued}
	}
	if err := st.AddDeliveries(t.Context(), c.ID, ds); err != nil {
		t.Fatal(err)
	}
	if err := st.Freeze(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, c.ID
}

func deliveries(t *testing.T, dir string, id int64) (model.Counts, map[string]model.Delivery) {
	t.Helper()
	st, err := store.Open(t.Context(), dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}()
	ds, err := st.Deliveries(t.Context(), model.DeliveryQuery{CampaignID: id, Limit: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	n, err := st.Counts(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]model.Delivery, len(ds))
	for _, d := range ds {
		rows[d.Email] = d
	}
	return n, rows
}
