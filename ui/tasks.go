package ui

import (
	"context"
	"sync"
)

// Tasks runs work in the background and brings its result back to the goroutine of the window.
type Tasks struct {
	ctx      context.Context
	cancel   context.CancelFunc
	dispatch func(func())
	wg       sync.WaitGroup
}

// NewTasks makes Tasks; dispatch queues a function for the window's goroutine and must not wait for it.
func NewTasks(dispatch func(func())) *Tasks {
	ctx, cancel := context.WithCancel(context.Background())
	return &Tasks{ctx: ctx, cancel: cancel, dispatch: dispatch}
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
