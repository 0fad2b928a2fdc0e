package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"hongyan/app/model"
	"hongyan/store"
)

// people makes n rows with addresses in random order, as real lists are.
func people(n int) []model.Row {
	rnd := rand.New(rand.NewPCG(1, 2))
	rows := make([]model.Row, n)
	for i, k := range rnd.Perm(n) {
		email := "user" + strconv.Itoa(k*7919%1_000_003) + "." + strconv.Itoa(k) + "@" + []string{"qq.com", "163.com", "gmail.com"}[k%3]
		rows[i] = model.Row{Line: i + 1, Email: email, Address: email, Name: fmt.Sprintf("用户 %d", k),
			Fields: map[string]string{"city": "北京", "grade": strconv.Itoa(k % 6)}}
	}
	return rows
}

func load(tb testing.TB, s *store.Store, list string, rows []model.Row, chunk int) model.ImportReport {
	tb.Helper()
	im, err := s.BeginImport(ctx, model.ImportSpec{ListName: list, Source: "a fair", Consent: "signed up there", FileName: "f.csv", Format: "csv", Charset: "UTF-8"})
	must(tb, err)
	for part := range slices.Chunk(rows, chunk) {
		must(tb, im.Add(ctx, part))
	}
	r, err := im.Finish(ctx)
	must(tb, err)
	return r
}

func BenchmarkImport(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		for _, chunk := range []int{10_000, 100_000} {
			b.Run(fmt.Sprintf("rows=%d/chunk=%d", n, chunk), func(b *testing.B) {
				if n > 100_000 && testing.Short() {
					b.Skip("a million rows")
				}
				rows := people(n)
				for b.Loop() {
					s := open(b, b.TempDir(), store.Options{ChunkRows: chunk})
					load(b, s, "l", rows, chunk)
					must(b, s.Close())
				}
				b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

func BenchmarkContactIDs(b *testing.B) {
	n := 1_000_000
	if testing.Short() {
		n = 100_000
	}
	s := fresh(b)
	load(b, s, "l", people(n), 10_000)
	few := make([]model.Row, 0, 1000)
	for i := range 1000 {
		few = append(few, model.Row{Email: fmt.Sprintf("few%d@example.com", i), Name: "few"})
	}
	load(b, s, "few", few, 1000)
	lists, err := s.Lists(ctx)
	must(b, err)
	for _, q := range []model.ContactQuery{
		{}, {Sort: model.SortEmail}, {Sort: model.SortName, Desc: true}, {Sort: model.SortSource},
		{ListID: lists[1].ID}, {ListID: lists[1].ID, Sort: model.SortEmail}, {ListID: lists[1].ID, Sort: model.SortName}, {ListID: lists[1].ID, Sort: model.SortSource},
		{ListID: lists[0].ID, Sort: model.SortEmail},
		{Search: "nobody-has-this"}, {Search: "北京", Sort: model.SortEmail}, {Search: "9999", ListID: lists[1].ID, Sort: model.SortName},
	} {
		b.Run(fmt.Sprintf("list=%d/sort=%s/search=%s", q.ListID, q.Sort, q.Search), func(b *testing.B) {
			for b.Loop() {
				_, err := s.ContactIDs(ctx, q)
				must(b, err)
			}
		})
	}
	b.Run("FieldNames", func(b *testing.B) {
		for b.Loop() {
			_, err := s.FieldNames(ctx, lists[1].ID)
			must(b, err)
		}
	})
	b.Run("page of 64", func(b *testing.B) {
		ids, err := s.ContactIDs(ctx, model.ContactQuery{Sort: model.SortEmail})
		must(b, err)
		for b.Loop() {
			_, err := s.Contacts(ctx, ids[n/2:n/2+64])
			must(b, err)
		}
	})
	b.Run("EachContact", func(b *testing.B) {
		for b.Loop() {
			must(b, s.EachContact(ctx, lists[1].ID, func(*model.Contact) error { return nil }))
		}
	})
	b.Run("Undo", func(b *testing.B) {
		ims, err := s.Imports(ctx)
		must(b, err)
		begun := time.Now()
		_, err = s.UndoImport(ctx, ims[1].ID)
		must(b, err)
		b.ReportMetric(time.Since(begun).Seconds(), "s")
	})
}

// BenchmarkJournal is a sender with w connections: an intent that is waited for, a result that is not.
func BenchmarkJournal(b *testing.B) {
	for _, workers := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("connections=%d", workers), func(b *testing.B) {
			s := fresh(b)
			id := campaignOf(b, s, "c", b.N, model.CampaignRunning)
			rows := make(chan model.Delivery, 64)
			go func() {
				defer close(rows)
				for {
					ds, err := s.Claim(ctx, id, 64, when(0))
					if err != nil || len(ds) == 0 {
						return
					}
					for _, d := range ds {
						rows <- d
					}
				}
			}()
			b.ResetTimer()
			var wg sync.WaitGroup
			for w := range workers {
				wg.Go(func() {
					for d := range rows {
						if err := s.Intend(d.ID, int64(w+1), when(1)).Wait(); err != nil {
							b.Error(err)
						}
						s.Settle(model.Outcome{DeliveryID: d.ID, AccountID: int64(w + 1), State: model.Accepted, Step: model.StepDot, Code: 250, Reply: "2.0.0 Ok: queued as 4Yz1", At: when(2)})
					}
				})
			}
			wg.Wait()
			must(b, s.Flush(ctx))
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "letters/s")
		})
	}
}

// BenchmarkAudience freezes an audience and looks at a campaign of a million.
func BenchmarkAudience(b *testing.B) {
	const n = 1_000_000
	if testing.Short() {
		b.Skip("a million rows")
	}
	s := fresh(b)
	id := campaignOf(b, s, "c", n, model.CampaignRunning)
	b.Run("Claim", func(b *testing.B) {
		for b.Loop() {
			ds, err := s.Claim(ctx, id, 64, when(0))
			must(b, err)
			ids := make([]int64, len(ds))
			for i := range ds {
				ids[i] = ds[i].ID
			}
			s.Release(id, ids)
		}
	})
	b.Run("first Counts", func(b *testing.B) {
		for b.Loop() {
			r := open(b, s.Dir(), store.Options{ReadOnly: true})
			_, err := r.Counts(ctx, id)
			must(b, err)
			must(b, r.Close())
		}
	})
	b.Run("Counts", func(b *testing.B) {
		for b.Loop() {
			_, err := s.Counts(ctx, id)
			must(b, err)
		}
	})
	b.Run("last page", func(b *testing.B) {
		for b.Loop() {
			_, err := s.Deliveries(ctx, model.DeliveryQuery{CampaignID: id, AfterID: n - 100, Limit: 64})
			must(b, err)
		}
	})
	b.Run("page of queued", func(b *testing.B) {
		for b.Loop() {
			_, err := s.Deliveries(ctx, model.DeliveryQuery{CampaignID: id, States: []model.State{model.Queued}, AfterID: n / 2, Limit: 64})
			must(b, err)
		}
	})
	b.Run("NextWake", func(b *testing.B) {
		for b.Loop() {
			_, _, err := s.NextWake(ctx, id)
			must(b, err)
		}
	})
}
