package crash

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"hongyan/app/campaign"
	"hongyan/app/model"
	"hongyan/smtpx"
	"hongyan/smtpx/smtptest"
	"hongyan/store"
)

const walName = "deliveries.db-wal"

// watched is a journal that notes how long the write-ahead log was when an intent was said to be durable: from that
// moment on the final dot may leave.
type watched struct {
	campaign.Journal
	wal string

	mu   sync.Mutex
	dots map[int64]int64 // by delivery
	errs []error
}

type watchedPending struct {
	campaign.Pending
	w  *watched
	id int64
}

func (w *watched) Intend(id, account int64, at time.Time) campaign.Pending {
	return &watchedPending{w.Journal.Intend(id, account, at), w, id}
}

func (w *watched) Hasten(id, account int64, at time.Time) campaign.Pending {
	return &watchedPending{w.Journal.Hasten(id, account, at), w, id}
}

func (p *watchedPending) Wait() error {
	if err := p.Pending.Wait(); err != nil {
		return err
	}
	fi, err := os.Stat(p.w.wal)
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if err != nil {
		p.w.errs = append(p.w.errs, err)
		return nil
	}
	p.w.dots[p.id] = fi.Size()
	return nil
}

// TestPowerLoss cuts the journal's log where the power may fail: behind each commit, in the middle of the next one, and
// with the rest of the file there but empty. Every such folder must open, and whose dot may have left by then must not
// be queued.
func TestPowerLoss(t *testing.T) {
	for _, profile := range []model.Profile{model.ProfileConsumer, model.ProfileRelay} {
		for _, engine := range []string{"lockstep", "overlap", "chunking window"} {
			t.Run(string(profile)+" "+engine, func(t *testing.T) {
				t.Parallel()
				powerLoss(t, engine, profile)
			})
		}
	}
}

func powerLoss(t *testing.T, engine string, profile model.Profile) {
	letters := 100
	if profile == model.ProfileRelay {
		letters = 400 // it takes some until they are reserved ahead
	}
	log := filepath.Join(t.TempDir(), "log")
	srv, err := smtptest.Start(smtptest.Options{TLS: smtpx.TLSNone, NoAuth: true, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = srv.Close() }()
	dir, id := prepare(t, letters, 3, profile)
	st, err := store.Open(t.Context(), dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	before, err := os.ReadFile(filepath.Join(dir, "deliveries.db"))
	if err != nil {
		t.Fatal(err)
	}
	w := &watched{Journal: st, wal: filepath.Join(dir, walName), dots: map[int64]int64{}}
	if err := run(t.Context(), st, w, order{Dir: dir, Campaign: id, Port: srv.Port(), Engine: engine}); err != nil {
		t.Fatal(err)
	}
	files := snapshot(t, dir)
	if len(w.dots) != letters || len(w.errs) > 0 {
		t.Fatalf("%d dots, errors %v", len(w.dots), w.errs)
	}
	if !bytes.Equal(before, files["deliveries.db"]) {
		t.Fatal("the log was copied into the file meanwhile: the campaign is too long for this test")
	}
	wal := files[walName]
	cuts, rnd, place := commits(wal), rand.New(rand.NewPCG(1, 2)), t.TempDir()
	if profile == model.ProfileConsumer && len(cuts) < 60 || len(cuts) < 10 {
		t.Fatalf("only %d commits", len(cuts))
	}
	for i, at := range cuts {
		cut(t, place, files, wal[:at], at, id, w.dots)
		if i+1 < len(cuts) && i%3 == 0 { // what was not synced may be there in part, or as a hole
			torn := at + 1 + rnd.IntN(cuts[i+1]-at-1)
			cut(t, place, files, wal[:torn], at, id, w.dots)
			hole := append(bytes.Clone(wal[:torn]), make([]byte, len(wal)-torn)...)
			cut(t, place, files, hole, at, id, w.dots)
		}
	}
	t.Logf("%d commits for %d letters", len(cuts), letters)
}

func snapshot(t *testing.T, dir string) map[string][]byte {
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) == ".lock" {
			return err
		}
		if name := filepath.Base(path); len(name) < 4 || name[len(name)-4:] != "-shm" { // it does not outlive the power
			files[name], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// commits are the lengths of a write-ahead log behind each of its commits (https://sqlite.org/fileformat2.html §4).
func commits(wal []byte) []int {
	const header, frame = 32, 24
	page := int(binary.BigEndian.Uint32(wal[8:]))
	var at []int
	for end := header + frame + page; end <= len(wal); end += frame + page {
		if binary.BigEndian.Uint32(wal[end-page-frame+4:]) != 0 {
			at = append(at, end)
		}
	}
	return at
}

// cut opens a folder as it is after the power failed, when the log was whole as far as synced.
func cut(t *testing.T, place string, files map[string][]byte, wal []byte, synced int, id int64, dots map[int64]int64) {
	t.Helper()
	dir, err := os.MkdirTemp(place, "cut")
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range files {
		if name == walName {
			b = wal
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	n, rows := deliveries(t, dir, id)
	if n.Total != len(dots) || n.Attempting != 0 {
		t.Errorf("cut at %d: %+v", synced, n)
	}
	for _, d := range rows {
		if left, ok := dots[d.ID]; ok && left <= int64(synced) && d.State != model.Unknown && d.State != model.Accepted {
			t.Errorf("cut at %d: the dot to %s left at %d, and it is %s", synced, d.Email, left, d.State)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
}
