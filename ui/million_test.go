package ui

import (
	"context"
	"fmt"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"hongyan/app/model"
)

// many is a fake with n people, who are made when they are asked for.
type many struct {
	*fake
	n     int
	asked int // people fetched
}

func (m *many) ContactIDs(context.Context, model.ContactQuery) ([]int64, error) {
	ids := make([]int64, m.n)
	for i := range ids {
		ids[i] = int64(i + 1)
	}
	return ids, nil
}

func (m *many) Contacts(_ context.Context, ids []int64) ([]model.Contact, error) {
	out := make([]model.Contact, len(ids))
	for i, id := range ids {
		out[i] = model.Contact{ID: id, Email: fmt.Sprintf("customer%07d@example.com", id), Name: "张伟", Source: "sheet", Consent: "yes"}
	}
	m.mu.Lock()
	m.asked += len(ids)
	m.mu.Unlock()
	return out, nil
}

// newMany opens a window over n people.
func newMany(t testing.TB, n int) (*rig, *many) {
	f := shop("zh")
	f.lists[0].Count = n
	m := &many{fake: f, n: n}
	r := &rig{t: t, svc: f, app: fyne.CurrentApp(), closed: make(chan struct{})}
	r.w = New(r.app, m, Options{Lang: "zh", Dispatch: r.dispatch, Tick: -1, timer: r.timer})
	r.w.progress.now = func() time.Time { return f.at(0) }
	t.Cleanup(func() {
		r.w.tasks.Close()
		r.w.win.Close()
	})
	r.w.Show()
	r.run()
	return r, m
}

// TestMillion: a million people are shown, reached and selected while only what is seen is fetched or drawn.
func TestMillion(t *testing.T) {
	const n = 1_000_000
	r, m := newMany(t, n)
	table := r.w.recipientsPane.table
	r.wants("1,000,000 人", "customer0000001@example.com")
	table.ScrollToBottom()
	r.run()
	r.wants("customer1000000@example.com")
	if m.asked > 10*pageRows {
		t.Errorf("%d people were fetched to show two screens", m.asked)
	}
	rows := 0
	walk(table, func(fyne.CanvasObject) { rows++ })
	if rows > 400 {
		t.Errorf("%d objects are drawn", rows)
	}
	table.OnAll()
	r.wants("已选 1,000,000")
}

// TestSlowStore: the window goes on while the store does not answer; rows that have not come are marked.
func TestSlowStore(t *testing.T) {
	f := shop("zh")
	f.block = make(chan struct{})
	r := &rig{t: t, svc: f, app: fyne.CurrentApp(), closed: make(chan struct{})}
	r.w = New(r.app, f, Options{Lang: "zh", Dispatch: r.dispatch, Tick: -1, timer: r.timer})
	t.Cleanup(func() {
		r.w.tasks.Close()
		r.w.win.Close()
	})
	r.w.Show()
	for !r.w.recipients.loaded {
		r.drain()
	}
	r.frame()
	r.wants("…", "300 人")
	r.w.Tick(true)
	close(f.block)
	r.run()
	r.wants("10086000@qq.com")
}

// BenchmarkScroll is one step of the wheel over a million people.
func BenchmarkScroll(b *testing.B) {
	r, _ := newMany(b, 1_000_000)
	table := r.w.recipientsPane.table
	at := float32(0)
	for b.Loop() {
		at += 40
		if at > 20e6 {
			at = 0
		}
		table.ScrollToOffset(at)
		r.drain()
	}
	b.StopTimer()
	r.run()
}

// BenchmarkTick is what the window does ten times a second while letters leave, with new lines in the log each time.
func BenchmarkTick(b *testing.B) {
	f := shop("zh").sending("zh")
	r := newRig(b, "zh", f)
	r.tick()
	for b.Loop() {
		f.mu.Lock()
		f.snap.Counts.Accepted++
		f.log = append(f.log, LogLine{At: f.at(0), Kind: LogServer, Text: "250 OK"})
		f.mu.Unlock()
		r.w.Tick(false)
		r.drain()
	}
}

// BenchmarkSelect is a click on one row of a million.
func BenchmarkSelect(b *testing.B) {
	r, _ := newMany(b, 1_000_000)
	i := 0
	for b.Loop() {
		r.w.recipientsPane.table.Click(i%15, 0)
		i++
	}
	b.StopTimer()
	r.run()
}

// BenchmarkRange is a click with shift that selects a million rows.
func BenchmarkRange(b *testing.B) {
	r, _ := newMany(b, 1_000_000)
	for b.Loop() {
		r.w.recipientsPane.table.Click(0, 0)
		r.w.recipientsPane.table.Click(999_999, fyne.KeyModifierShift)
	}
	b.StopTimer()
	r.run()
}
