package ui_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sort"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"golang.org/x/sys/unix"

	"hongyan/app"
	"hongyan/app/secrets"
	"hongyan/store"
	"hongyan/ui"
	"hongyan/ui/bridge"
)

// loop is the window's goroutine: it runs what is queued, in order, and keeps how long each call took, by the clock
// and by the time of the processor alone, which does not grow when the machine is busy with something else.
type loop struct {
	queue     chan func()
	took, cpu []time.Duration
	ended     chan struct{}
}

// threadTime is the processor time of this thread.
func threadTime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

func newLoop() *loop {
	l := &loop{queue: make(chan func(), 1<<16), ended: make(chan struct{})}
	go func() {
		defer close(l.ended)
		runtime.LockOSThread()
		for f := range l.queue {
			began, used := time.Now(), threadTime()
			f()
			l.took, l.cpu = append(l.took, time.Since(began)), append(l.cpu, threadTime()-used)
		}
	}()
	return l
}

// do runs f on the window's goroutine and waits for it.
func (l *loop) do(f func()) {
	done := make(chan struct{})
	l.queue <- func() {
		defer close(done)
		f()
	}
	<-done
}

// until asks f on the window's goroutine until it says yes, or fails.
func (l *loop) until(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		ok := false
		l.do(func() { ok = f() })
		if ok {
			return
		}
	}
	t.Fatal("not within two minutes: ", what)
}

func people(t testing.TB, from, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "people.csv")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "email,name,city")
	for i := range n {
		fmt.Fprintf(w, "customer%07d@example.com,张伟%d,上海\n", from+i, i%1000)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// beat is a window over a real folder, on a goroutine of its own that tells how long it was held.
type beat struct {
	*loop
	w *ui.Window
}

func newBeat(t testing.TB) *beat {
	dir := t.TempDir()
	st, err := store.Open(context.Background(), dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	core := app.New(app.Options{Dir: dir, Store: st, Version: "test", Secrets: secrets.Open(secrets.Options{Dir: dir, FileOnly: true})})
	svc := bridge.New(core)
	l := &beat{loop: newLoop()}
	gone := make(chan struct{})
	l.do(func() {
		l.w = ui.New(fyne.CurrentApp(), svc, ui.Options{Lang: "zh", Dispatch: func(f func()) { l.queue <- f }, Tick: 100 * time.Millisecond, Close: svc.Close})
		l.w.Show()
	})
	t.Cleanup(func() {
		l.do(func() { l.w.CloseFor(func() { close(gone) }) })
		<-gone
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// imports brings n people in through the window while the list is scrolled, and waits until they are shown.
func (l *beat) imports(t testing.TB, from, n int) {
	t.Helper()
	var ready func() bool
	var run func()
	path := people(t, from, n)
	l.do(func() { ready, run = l.w.StartImport(path, fmt.Sprint("list", from)) })
	l.until(t, "the preview", func() bool { return ready() })
	l.do(run)
	step := 0
	l.until(t, "the report", func() bool {
		step++
		l.w.Wheel(step)
		return l.w.ImportEnded()
	})
	l.until(t, "the people", func() bool { return l.w.People() == n })
}

// reset forgets what was measured; sorted gives it, the longest last.
func (l *beat) reset() { l.do(func() { l.took, l.cpu = nil, nil }) }

func (l *beat) sorted() (took, cpu []time.Duration) {
	l.do(func() { took, cpu = slices.Sorted(slices.Values(l.took)), slices.Sorted(slices.Values(l.cpu)) })
	return took, cpu
}

// TestHeartbeat: no call holds the window's goroutine for the time of a frame while 200,000 people are imported. What
// counts is the time of the processor: by the clock a call also waits for whatever else the machine is busy with.
func TestHeartbeat(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("needs the speed that users have")
	}
	const frame = 16 * time.Millisecond
	l := newBeat(t)
	l.imports(t, 0, 1000) // what is drawn for the first time reads fonts
	l.reset()
	l.imports(t, 1000, 200_000)
	took, cpu := l.sorted()
	longest := cpu[len(cpu)-1]
	t.Logf("%d calls; the longest took %v of the processor and %v by the clock", len(cpu), longest, took[len(took)-1])
	if longest >= frame {
		t.Errorf("a call held the window for %v of the processor, want below %v", longest, frame)
	}
}

// BenchmarkHeartbeat imports 100,000 people through the window, over a real folder that holds 100,000, while the user
// scrolls. It tells how long the window's goroutine was held at most by one call: above 16 ms a frame is missed.
func BenchmarkHeartbeat(b *testing.B) {
	l := newBeat(b)
	l.imports(b, 0, 100_000)
	l.reset()
	at := 100_000
	for b.Loop() {
		l.imports(b, at, 100_000)
		at += 100_000
	}
	b.StopTimer()
	took, cpu := l.sorted()
	ms := func(d time.Duration) float64 { return float64(d) / 1e6 }
	b.ReportMetric(ms(took[len(took)-1]), "max-ms")
	b.ReportMetric(ms(cpu[len(cpu)-1]), "max-cpu-ms")
	b.ReportMetric(ms(took[len(took)*99/100]), "p99-ms")
	late := len(took) - sort.Search(len(took), func(i int) bool { return took[i] > 16*time.Millisecond })
	b.ReportMetric(float64(late)/float64(b.N), "late/op")
	b.ReportMetric(float64(len(took))/float64(b.N), "calls/op")
}
