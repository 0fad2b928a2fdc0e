package ui

import (
	"context"
	"sync"
	"time"
)

// Tasks runs work in the background and brings its result back to the goroutine of the window.
type Tasks struct {
	ctx      context.Context
	cancel   context.CancelFunc
	dispatch func(func())
	timer    func(d time.Duration, f func()) (stop func() bool) // time.AfterFunc, unless a test has its own clock
	wg       sync.WaitGroup
}

// NewTasks makes Tasks; dispatch queues a function for the window's goroutine and must not wait for it.
func NewTasks(dispatch func(func())) *Tasks {
	ctx, cancel := context.WithCancel(context.Background())
	return &Tasks{ctx: ctx, cancel: cancel, dispatch: dispatch, timer: func(d time.Duration, f func()) func() bool {
		return time.AfterFunc(d, f).Stop
	}}
}

// Close cancels what runs and waits for it; nothing is dispatched afterwards.
func (t *Tasks) Close() {
	t.cancel()
	t.wg.Wait()
}

// Do calls f on the window's goroutine, unless the window is closing.
func (t *Tasks) Do(f func()) {
	if t.ctx.Err() == nil {
		t.dispatch(func() {
			if t.ctx.Err() == nil {
				f()
			}
		})
	}
}

// A pause is the moment that is let go by after the last key.
type pause struct{ stop func() bool }

// after calls f on the window's goroutine once d has passed without another call with the same pause.
func (t *Tasks) after(p *pause, d time.Duration, f func()) {
	if p.stop != nil {
		p.stop()
	}
	p.stop = t.timer(d, func() { t.Do(f) })
}

// background runs work on its own goroutine, then done with its result on the window's. cancel ends it early;
// done is called all the same, with the error of work.
func background[T any](t *Tasks, work func(ctx context.Context) (T, error), done func(T, error)) (cancel context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.ctx)
	t.wg.Add(1)
	go func() {
		defer t.wg.Done()
		v, err := work(ctx)
		t.Do(func() {
			cancel()
			done(v, err)
		})
	}()
	return cancel
}

// act is background for work without a value.
func act(t *Tasks, work func(ctx context.Context) error, done func(error)) {
	background(t, func(ctx context.Context) (struct{}, error) { return struct{}{}, work(ctx) },
		func(_ struct{}, err error) { done(err) })
}
